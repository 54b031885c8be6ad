//! `process.rlimits` (`config.md#posix-process`): each resource of getrlimit(2), soft and hard.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Rlimit};
use plimsoll_fixtures::{Config, Recipe};
use serde_json::json;

const RLIMITS: &str = "/process/rlimits";
const MATCH: &[&str] = &[
    "config.process.rlimits-getrlimit-succeeds",
    "config.process.rlimits-soft-match",
    "config.process.rlimits-hard-match",
    "config.process.rlimits-type-values",
];

/// The program reads back each limit as it was configured.
pub(super) const LIMITS: Rule = Rule::new(
    "process.rlimits.applied",
    MATCH,
    |_| vec![Ask::Rlimits],
    |config, evidence, out| {
        for (kind, wanted) in wanted(config) {
            let found = evidence.inside.rlimits().map(|limits| limits.get(&kind).copied());
            out.expect_eq(&kind, found, Ok(Some(wanted)));
        }
    },
);

/// The kernel holds each limit as it was configured.
const BY_HOST: Rule = Rule::by_host("process.rlimits.by-host", MATCH, |config, evidence, out| {
    for (kind, wanted) in wanted(config) {
        out.expect_eq(&kind, evidence.host().limits.get(&kind).copied(), Some(wanted));
    }
});

fn wanted(config: &Config) -> impl Iterator<Item = (String, Rlimit)> {
    config.list(RLIMITS).iter().map(|entry| {
        let value = |name: &str| entry[name].as_u64().unwrap_or(0);
        (entry["type"].as_str().unwrap_or_default().to_owned(), Rlimit { soft: value("soft"), hard: value("hard") })
    })
}

fn limit<'r>(recipe: &'r mut Recipe, kind: &str, soft: u64, hard: u64) -> &'r mut Recipe {
    recipe.push(RLIMITS, json!({ "type": kind, "soft": soft, "hard": hard }))
}

/// One row a resource; soft and hard differ from each other and from what most hosts have.
macro_rules! each {
    ($rule:expr; $($name:literal: $kind:literal, $soft:literal, $hard:literal;)*) => {
        &[$(Case::new(
            $rule,
            $name,
            |r| limit(r, $kind, $soft, $hard),
            &[
                Fault::Drop(RLIMITS),
                Fault::Take("/process/rlimits/0/soft", stringify!($hard)),
                Fault::Take("/process/rlimits/0/hard", stringify!($soft)),
            ],
        ).needs(&[Need::Limit($kind, $hard)])),*]
    };
}

pub(super) const RESOURCES: &[Case] = each! { &LIMITS;
    "as": "RLIMIT_AS", 1099511627776, 2199023255552;
    "core": "RLIMIT_CORE", 4096, 8192;
    "cpu": "RLIMIT_CPU", 1000, 2000;
    "data": "RLIMIT_DATA", 17179869184, 34359738368;
    "fsize": "RLIMIT_FSIZE", 1073741824, 2147483648;
    "locks": "RLIMIT_LOCKS", 100, 200;
    "memlock": "RLIMIT_MEMLOCK", 1048576, 2097152;
    "msgqueue": "RLIMIT_MSGQUEUE", 204800, 409600;
    "nice": "RLIMIT_NICE", 5, 10;
    "nofile": "RLIMIT_NOFILE", 512, 1024;
    "nproc": "RLIMIT_NPROC", 5000, 6000;
    "rss": "RLIMIT_RSS", 1073741824, 2147483648;
    "rtprio": "RLIMIT_RTPRIO", 5, 10;
    "rttime": "RLIMIT_RTTIME", 1000000, 2000000;
    "sigpending": "RLIMIT_SIGPENDING", 1000, 2000;
    "stack": "RLIMIT_STACK", 4194304, 16777216;
    "above-53-bits": "RLIMIT_FSIZE", 9007199254740993, 9007199254740995;
    "above-63-bits": "RLIMIT_CORE", 9223372036854775809, 18446744073709551614;
    "zero": "RLIMIT_CORE", 0, 4096;
};

const FORGETS: &[Fault] = &[Fault::DropLast(RLIMITS), Fault::Drop("/process/rlimits/0")];

pub(super) const OTHERS: &[Case] = &[
    Case::new(
        &LIMITS,
        "infinity",
        |r| limit(r, "RLIMIT_CORE", u64::MAX, u64::MAX),
        &[Fault::Drop(RLIMITS), Fault::Take("/process/rlimits/0/soft", "9223372036854775807")],
    )
    .needs(&[Need::Limit("RLIMIT_CORE", u64::MAX)]),
    Case::new(
        &LIMITS,
        "infinite-hard",
        |r| limit(r, "RLIMIT_CORE", 4096, u64::MAX),
        &[Fault::Drop(RLIMITS), Fault::Take("/process/rlimits/0/hard", "4294967295")],
    )
    .needs(&[Need::Limit("RLIMIT_CORE", u64::MAX)]),
    Case::new(
        &LIMITS,
        "soft-equals-hard",
        |r| limit(r, "RLIMIT_NOFILE", 333, 333),
        &[Fault::Drop(RLIMITS), Fault::Take("/process/rlimits/0/soft", "332")],
    )
    .needs(&[Need::Limit("RLIMIT_NOFILE", 333)]),
    Case::new(&LIMITS, "several", several, FORGETS).needs(SEVERAL),
    Case::new(
        &LIMITS,
        "of-another-user",
        |r| several(r).set("/process/user", json!({ "uid": 1000, "gid": 1000 })),
        FORGETS,
    )
    .needs(SEVERAL),
    Case::new(&BY_HOST, "several", several, FORGETS).needs(SEVERAL),
];

fn several(recipe: &mut Recipe) -> &mut Recipe {
    limit(limit(limit(recipe, "RLIMIT_CORE", 1, 2), "RLIMIT_NOFILE", 300, 600), "RLIMIT_FSIZE", 1 << 30, 1 << 31)
}

const SEVERAL: &[Need] =
    &[Need::Limit("RLIMIT_CORE", 2), Need::Limit("RLIMIT_NOFILE", 600), Need::Limit("RLIMIT_FSIZE", 1 << 31)];
const ROOM: &[Need] = &[Need::Limit("RLIMIT_NOFILE", 600)];

fn nofile(recipe: &mut Recipe) -> &mut Recipe {
    limit(recipe, "RLIMIT_NOFILE", 300, 600)
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "process.rlimits.invalid/duplicate",
        &["config.process.rlimits-duplicate-error"],
        &[Fault::DropLast(RLIMITS)],
        |lab, out| lab.refuses(out, nofile, |r| limit(r, "RLIMIT_NOFILE", 400, 500)),
    )
    .needs(ROOM),
    Scenario::new(
        "process.rlimits.invalid/same-twice",
        &["config.process.rlimits-duplicate-error"],
        &[Fault::DropLast(RLIMITS)],
        |lab, out| lab.refuses(out, nofile, nofile),
    )
    .needs(ROOM),
    Scenario::new(
        "process.rlimits.invalid/unknown-type",
        &["config.process.rlimits-unmappable-error"],
        &[Fault::DropLast(RLIMITS)],
        |lab, out| lab.refuses(out, nofile, |r| limit(r, "RLIMIT_PLIMSOLL", 400, 500)),
    )
    .needs(ROOM),
    Scenario::new(
        "process.rlimits.invalid/type-in-lower-case",
        &["config.process.rlimits-unmappable-error"],
        &[Fault::DropLast(RLIMITS)],
        |lab, out| lab.refuses(out, nofile, |r| limit(r, "rlimit_core", 1, 2)),
    )
    .needs(ROOM),
    Scenario::new(
        "process.rlimits.invalid/soft-above-hard",
        &["config.process.rlimits-soft-match", "config.values.invalid-error"],
        &[Fault::Take("/process/rlimits/0/soft", "600"), Fault::Drop(RLIMITS)],
        |lab, out| lab.refuses(out, nofile, |r| r.set("/process/rlimits/0/soft", 601)),
    )
    .needs(ROOM),
    Scenario::new(
        "process.rlimits.invalid/without-type",
        &["config.process.rlimits-members-required", "config.values.invalid-error"],
        &[Fault::Drop(RLIMITS)],
        |lab, out| lab.refuses(out, nofile, |r| r.remove("/process/rlimits/0/type")),
    )
    .needs(ROOM),
];
