//! Numbers at the limits of their range, and beyond the precision of a double (`config.md`). A runtime may support fewer numbers and refuse
//! the others, but it must not change a number.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_fixtures::{Bundle, Config};
use serde_json::json;

use crate::refusal;

const USER: &[&str] = &["config.user.uid-applied", "config.user.gid-applied", "config.values.unsupported-error"];
const LIMITS: &[&str] = &["config.values.unsupported-error", "config.values.invalid-error"];

macro_rules! exact {
    ($($name:literal, $cites:ident, $pointer:literal = $value:expr, $faults:expr;)*) => {
        &[$(Scenario::new(concat!("config.numbers/", $name), $cites, $faults, |lab, out| {
            exact_or_refused(lab, out, &lab.bundle(|r| r.set($pointer, $value))?)
        })),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = exact! {
    "largest-user", USER, "/process/user/uid" = 4_294_967_294_u32,
        &[Fault::Take("/process/user/uid", "2147483647"), Fault::Take("/process/user/uid", "0")];
    "largest-group", USER, "/process/user/gid" = 4_294_967_294_u32, &[Fault::Take("/process/user/gid", "2147483647")];
    "user-2-to-31", USER, "/process/user/uid" = 1_u32 << 31, &[Fault::Take("/process/user/uid", "2147483647")];
    "user-2-to-31-less-1", USER, "/process/user/uid" = i32::MAX, &[Fault::Take("/process/user/uid", "0")];
    "no-limit", LIMITS, "/process/rlimits" = json!([{ "type": "RLIMIT_RSS", "soft": u64::MAX, "hard": u64::MAX }]),
        &[Fault::Take("/process/rlimits/0/soft", "9223372036854775807")];
    "limit-above-2-to-53", LIMITS,
        "/process/rlimits" = json!([{ "type": "RLIMIT_RSS", "soft": (1_u64 << 53) + 1, "hard": u64::MAX - 2 }]),
        &[Fault::Take("/process/rlimits/0/soft", "9007199254740992"), Fault::Drop("/process/rlimits")];
    "limit-above-2-to-63", LIMITS,
        "/process/rlimits" = json!([{ "type": "RLIMIT_RSS", "soft": (1_u64 << 63) + 1, "hard": u64::MAX - 1 }]),
        &[Fault::Take("/process/rlimits/0/soft", "9223372036854775807"), Fault::Drop("/process/rlimits")];
};

fn exact_or_refused(lab: &Lab<'_>, out: &mut Judgement, bundle: &Bundle) -> StepResult {
    let watch = lab.watch()?;
    let attempt = lab.try_create(bundle)?;
    if !attempt.outcome.succeeded() {
        return refusal::settle(lab, out, &watch, bundle, attempt);
    }
    let container = attempt.container()?;
    container.started()?;
    judge(&bundle.config, &container.evidence(vec![Ask::Ids, Ask::Rlimits])?, out);
    container.finish_and_delete()
}

/// User, group and limits are those of the configuration, to the last digit.
fn judge(config: &Config, evidence: &Evidence, out: &mut Judgement) {
    let (ids, limits) = (evidence.inside.get(&Ask::Ids), evidence.inside.get(&Ask::Rlimits));
    let (Ok(Reply::Ids(ids)), Ok(Reply::Rlimits(limits))) = (ids, limits) else {
        return out.expect("user and limits", false, "answers", (ids, limits));
    };
    out.expect_eq("user", Some(ids.uids[0].into()), config.number("/process/user/uid"));
    out.expect_eq("group", Some(ids.gids[0].into()), config.number("/process/user/gid"));
    for entry in config.list("/process/rlimits") {
        let found = entry["type"].as_str().and_then(|name| limits.get(name));
        let found = found.map(|limit| (limit.soft, limit.hard));
        let expected = entry["soft"].as_u64().zip(entry["hard"].as_u64());
        out.expect_eq(&entry["type"].to_string(), found, expected);
    }
}
