//! `timeout`: a hook that takes longer is killed. Each check uses the shortest timeout, one second, or more on a slow machine.

use std::time::Duration;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::deadline::scaled;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Op;

use super::failure::{is_stopped, tidy_up};
use super::kind::{self, IT, Kind, Lifecycle, names};

/// A faulty runtime waits for ever.
macro_rules! aborted {
    ($kind:ident, $member:literal, $slug:literal) => {
        Scenario::new(
            concat!("hooks.timeout/", $slug),
            &["config.hooks.entry.timeout-aborts"],
            &[Fault::Drop(concat!("/hooks/", $member, "/0/timeout")), Fault::Drop(concat!("/hooks/", $member))],
            |lab, out| aborted(&kind::$kind, lab, out),
        )
        .waits()
    };
}

pub(super) const SCENARIOS: &[Scenario] = &[
    aborted!(CREATE_RUNTIME, "createRuntime", "create-runtime"),
    aborted!(CREATE_CONTAINER, "createContainer", "create-container"),
    aborted!(START_CONTAINER, "startContainer", "start-container"),
    Scenario::new(
        "hooks.timeout/poststop",
        &["config.hooks.entry.timeout-aborts"],
        &[Fault::Drop("/hooks/poststop/0/timeout"), Fault::Drop("/hooks/poststop")],
        poststop_aborted,
    )
    .waits(),
    Scenario::new(
        "hooks.timeout/not-reached",
        &["config.hooks.entry.timeout-aborts", "config.hooks.optional-members"],
        &[Fault::Fail(Op::Create), Fault::Drop("/hooks/createRuntime"), Fault::Drop("/hooks/startContainer")],
        not_reached,
    ),
];

fn shortest() -> u64 {
    scaled(Duration::from_secs(1)).as_secs()
}

/// The operation ends in its own time, without the program, and the guard sees that the hook is gone. Whether start
/// reports it is judged with the other failures.
fn aborted(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let bundle =
        lab.bundle(|r| r.hook(kind.member, IT, &["sleep"]).set(&kind.pointer("/0/timeout"), shortest()).log_program())?;
    let attempt = lab.try_create(&bundle)?;
    if kind.during == Op::Create {
        attempt.outcome.refused()?;
    } else {
        let container = attempt.container()?;
        let start = container.start()?;
        is_stopped(&container, &start, out)?;
        tidy_up(lab, &container)?;
    }
    out.expect_eq("hooks and program that ran", names(&bundle.hook_log()?), [IT]);
    Ok(())
}

/// Whether delete reports it is judged with the other failures of poststop hooks.
fn poststop_aborted(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let container = lab.stopped(|r| r.hook("poststop", IT, &["sleep"]).set("/hooks/poststop/0/timeout", shortest()))?;
    let delete = container.delete()?;
    out.expect_eq("the hooks that ran", names(&container.bundle.hook_log()?), [IT]);
    let state = container.query_state()?;
    out.expect("state after delete", !state.succeeded(), "an error: there is no such container", delete.said());
    Ok(())
}

fn not_reached(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| {
        [kind::CREATE_RUNTIME, kind::START_CONTAINER]
            .iter()
            .fold(r, |r, kind| r.hook(kind.member, kind.member, &["delay=50"]).set(&kind.pointer("/0/timeout"), 3600))
    })?;
    out.expect_eq("the hooks that ran", names(&lifecycle.after_start), ["createRuntime", "startContainer"]);
    Ok(())
}
