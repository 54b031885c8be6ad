//! `process.noNewPrivileges` and `process.oomScoreAdj` (`config.md#linux-process`).

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::Ask;

pub(crate) const NNP: &str = "/process/noNewPrivileges";
const OOM: &str = "/process/oomScoreAdj";

/// The bit that keeps execve(2) from giving privileges is set, or not.
pub(super) const NO_NEW: Rule = Rule::new(
    "process.no-new-privileges",
    &["config.process.no-new-privileges-set"],
    |_| vec![Ask::NoNewPrivileges],
    |config, evidence, out| {
        let wanted = i64::from(config.flag(NNP));
        out.expect_eq("PR_GET_NO_NEW_PRIVS", evidence.inside.count(&Ask::NoNewPrivileges), Ok(wanted));
    },
);

pub(crate) const NO_NEW_BY_HOST: Rule = Rule::by_host(
    "process.no-new-privileges.by-host",
    &["config.process.no-new-privileges-set"],
    |config, evidence, out| out.expect_eq("NoNewPrivs", evidence.host().status.no_new_privs, config.flag(NNP)),
);

/// How willingly the kernel ends the process when memory is short.
const OOM_SCORE: Rule =
    Rule::by_host("process.oom-score-adj", &["config.process.oom-score-adj-set"], |config, evidence, out| {
        let found = i64::from(evidence.host().oom_score_adj);
        out.expect_eq("oom_score_adj", Some(found), config.number(OOM));
    });

const SETS_IT: &[Fault] = &[Fault::Take(NNP, "true")];
const LEAVES_IT: &[Fault] = &[Fault::Drop(NNP), Fault::Take(NNP, "false")];
const SCORES: &[Fault] = &[Fault::Drop(OOM), Fault::Take(OOM, "99")];

pub(super) const CASES: &[Case] = &[
    Case::new(&NO_NEW, "true", |r| r.set(NNP, true), LEAVES_IT),
    Case::new(&NO_NEW, "false", |r| r.set(NNP, false), SETS_IT),
    Case::new(&NO_NEW, "unset", |r| r.remove(NNP), SETS_IT),
    Case::new(
        &NO_NEW,
        "true-for-another-user",
        |r| r.set(NNP, true).set("/process/user", serde_json::json!({ "uid": 1000, "gid": 1000 })),
        LEAVES_IT,
    ),
    Case::new(&NO_NEW_BY_HOST, "true", |r| r.set(NNP, true), LEAVES_IT),
    Case::new(&NO_NEW_BY_HOST, "false", |r| r.set(NNP, false), SETS_IT),
    Case::new(&OOM_SCORE, "hundred", |r| r.set(OOM, 100), SCORES),
    Case::new(&OOM_SCORE, "one", |r| r.set(OOM, 1), SCORES),
    Case::new(&OOM_SCORE, "highest", |r| r.set(OOM, 1000), SCORES),
    Case::new(&OOM_SCORE, "negative", |r| r.set(OOM, -500), SCORES).needs(&[Need::Capability("CAP_SYS_RESOURCE")]),
    Case::new(&OOM_SCORE, "lowest", |r| r.set(OOM, -1000), SCORES).needs(&[Need::Capability("CAP_SYS_RESOURCE")]),
    Case::new(
        &OOM_SCORE,
        "of-another-user",
        |r| r.set(OOM, 100).set("/process/user", serde_json::json!({ "uid": 1000, "gid": 1000 })),
        SCORES,
    ),
];
