//! `linux.resources.pids`: what the kernel holds, and how many tasks there can be.

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::{Case, Scenario};
use plimsoll_engine::fault::{Fault, ValueFault};
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Reply};

use super::values::{Member, cases, number_or_max, rule};

pub(super) const LIMIT_AT: &str = "/linux/resources/pids/limit";
pub(super) const MAX: Knob = Knob::of_both("pids", "pids.max");
const NEEDS: &[Need] = &[Need::Knob(MAX)];

rule!(
    LIMIT_RULE,
    "resources.pids.limit",
    &["linux.resources.pids.limit"],
    Member { at: LIMIT_AT, knobs: &[MAX], is: number_or_max }
);

const WRONG: &[Fault] = &[Fault::Drop(LIMIT_AT), Fault::Value(LIMIT_AT, ValueFault::OffByOne)];

pub(super) const LIMIT: &[Case] = cases! { &LIMIT_RULE, NEEDS;
    "some", [LIMIT_AT => 77],
        &[Fault::Drop(LIMIT_AT), Fault::Value(LIMIT_AT, ValueFault::OffByOne), Fault::MoveOut, Fault::Beside];
    "few", [LIMIT_AT => 20], WRONG;
    "greatest", [LIMIT_AT => 4_194_304], &[Fault::Drop(LIMIT_AT), Fault::Take(LIMIT_AT, "32768")];
};

rule!(
    UNLIMITED_RULE,
    "resources.pids.unlimited",
    &["linux.resources.pids.limit-minus-one"],
    Member { at: LIMIT_AT, knobs: &[MAX], is: number_or_max }
);

pub(super) const UNLIMITED: &[Case] = cases! { &UNLIMITED_RULE, NEEDS;
    "minus-one", [LIMIT_AT => -1], &[Fault::Take(LIMIT_AT, "1024")];
};

pub(super) const SCENARIOS: &[Scenario] = &[ZERO, AT_THE_COUNT, AT_A_LARGER_COUNT];

/// A limit of nothing: no process can be added, which the runtime may find out itself. A systemd manager writes 1.
const ZERO: Scenario = Scenario::new(
    "resources.pids.limit/zero",
    &["linux.resources.pids.limit-zero"],
    &[Fault::Drop(LIMIT_AT), Fault::Take(LIMIT_AT, "-1")],
    |lab, out| {
        let bundle = lab.bundle(|r| r.set(LIMIT_AT, 0))?;
        let Some(container) = crate::refusal::or_created(lab, out, &bundle)? else { return Ok(()) };
        let held = container.knob_value(&MAX)?.map(|held| held.text);
        out.expect("pids.max", held.as_deref() == Ok("0") || held.as_deref() == Ok("1"), "0", held);
        crate::refusal::discard(lab, &bundle.id)
    },
)
.needs(NEEDS);

const AT_THE_COUNT: Scenario =
    Scenario::new("resources.pids.effect/few", &["linux.resources.pids.limit"], REFUSED_TOO_LATE, |lab, out| {
        refuses_forks(lab, out, 10)
    })
    .needs(NEEDS);

const AT_A_LARGER_COUNT: Scenario =
    Scenario::new("resources.pids.effect/more", &["linux.resources.pids.limit"], REFUSED_TOO_LATE, |lab, out| {
        refuses_forks(lab, out, 33)
    })
    .needs(NEEDS);

const REFUSED_TOO_LATE: &[Fault] =
    &[Fault::Drop(LIMIT_AT), Fault::Value(LIMIT_AT, ValueFault::OffByOne), Fault::MoveOut, Fault::Beside];

/// The program is one task, so it can have one less than the limit beside itself.
fn refuses_forks(lab: &Lab<'_>, out: &mut Judgement, limit: i64) -> StepResult {
    let container = lab.running(|r| r.set(LIMIT_AT, limit))?;
    let made = container.ask(Ask::Fork(u32::try_from(limit).unwrap_or(0) + 20))?;
    out.expect_eq("processes that the program could make", made, Ok(Reply::Count(limit - 1)));
    container.finish_and_delete()
}
