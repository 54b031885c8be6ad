//! Operations without an id or with an unknown one, and ids that are in use (`runtime.md#operations`).

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::Bundle;

use crate::refusal;

macro_rules! ids {
    ($run:ident: $($id:literal, $op:expr, $cites:expr;)*) => {
        &[$(Scenario::new($id, $cites, &[Fault::Succeed($op)], |lab, out| $run(lab, out, $op))),*]
    };
}

pub(super) const NONE: &[Scenario] = ids! { without_id:
    "lifecycle.create/without-id", Op::Create, &["runtime.create.no-id-error", "runtime.errors.no-side-effects"];
    "lifecycle.start/without-id", Op::Start, &["runtime.start.no-id-error", "runtime.errors.no-side-effects"];
    "lifecycle.state/without-id", Op::State, &["runtime.query-state.no-id-error", "runtime.errors.no-side-effects"];
    "lifecycle.kill/without-id", Op::Kill, &["runtime.kill.no-id-error", "runtime.errors.no-side-effects"];
    "lifecycle.delete/without-id", Op::Delete, &["runtime.delete.no-id-error", "runtime.errors.no-side-effects"];
};

/// A container that waits to be started stands by: the one that a careless runtime would take.
fn without_id(lab: &Lab<'_>, out: &mut Judgement, op: Op) -> StepResult {
    let container = lab.created(|r| r)?;
    let bundle = lab.bundle(|r| r)?;
    let values = match op {
        Op::Create => Values::default().with("bundle", bundle.dir.to_string_lossy()),
        _ => Values::default().with("signal", "KILL"),
    };
    refusal::leaves(&container, lab, out, &format!("{op} without an id"), || lab.call(op, &values))?;
    container.started()?;
    container.finish_and_delete()
}

pub(super) const UNKNOWN: &[Scenario] = ids! { unknown_id:
    "lifecycle.start/unknown-id", Op::Start, &["runtime.start.not-created-error", "runtime.errors.no-side-effects"];
    "lifecycle.state/unknown-id", Op::State,
        &["runtime.query-state.unknown-id-error", "runtime.errors.no-side-effects"];
    "lifecycle.kill/unknown-id", Op::Kill, &["runtime.kill.wrong-state-error", "runtime.errors.no-side-effects"];
    "lifecycle.delete/unknown-id", Op::Delete,
        &["runtime.delete.not-stopped-error", "runtime.errors.no-side-effects"];
};

/// Once for an id that was never given, once for that of a deleted container.
fn unknown_id(lab: &Lab<'_>, out: &mut Judgement, op: Op) -> StepResult {
    let deleted = lab.running(|r| r)?;
    deleted.finish_and_delete()?;
    for id in [format!("{}-none", lab.tag), deleted.id().to_owned()] {
        refusal::of(lab, out, &format!("{op} of {id}"), || lab.call_id(op, &id))?;
    }
    Ok(())
}

const TAKEN: &[&str] = &[
    "runtime.create.duplicate-id-error",
    "runtime.create.rejected-id-no-container",
    "runtime.state.id-unique-on-host",
    "runtime.errors.no-side-effects",
];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("lifecycle.create/id-of-a-created-container", TAKEN, &[Fault::Succeed(Op::Create)], |lab, out| {
        let first = lab.created(|r| r)?;
        take_id(lab, out, &first, &lab.bundle(|r| r)?)?;
        first.started()?;
        first.finish_and_delete()
    }),
    Scenario::new("lifecycle.create/id-of-a-running-container", TAKEN, &[Fault::Succeed(Op::Create)], |lab, out| {
        let first = lab.running(|r| r)?;
        take_id(lab, out, &first, &lab.bundle(|r| r)?)?;
        first.finish_and_delete()
    }),
    Scenario::new("lifecycle.create/id-of-a-stopped-container", TAKEN, &[Fault::Succeed(Op::Create)], |lab, out| {
        let first = lab.stopped(|r| r)?;
        take_id(lab, out, &first, &lab.bundle(|r| r)?)?;
        first.delete()?.ok()
    }),
    // The clean-up of a failed create must not reach what the first one made from the same bundle.
    Scenario::new("lifecycle.create/same-bundle-again", TAKEN, &[Fault::Succeed(Op::Create)], |lab, out| {
        let first = lab.running(|r| r)?;
        let before = first.observe()?;
        take_id(lab, out, &first, &first.bundle)?;
        let after = first.observe()?;
        out.expect_eq("the cgroups of the first container", after.cgroups, before.cgroups);
        out.expect_eq("the mounts of the first container", after.mounts, before.mounts);
        first.finish_and_delete()
    })
    .needs(&[plimsoll_engine::need::Need::HostView]),
    Scenario::new(
        "lifecycle.create/id-is-free-after-delete",
        &["runtime.delete.id-reusable", "runtime.create.makes-container"],
        &[Fault::Ignore(Op::Delete)],
        |lab, out| {
            let bundle = lab.bundle(|r| r)?;
            for round in 1..=3 {
                let container = lab.create(&bundle)?;
                container.started()?;
                out.expect_eq(&format!("status in round {round}"), container.state()?.status(), "running");
                container.finish_and_delete()?;
            }
            Ok(())
        },
    ),
];

fn take_id(lab: &Lab<'_>, out: &mut Judgement, first: &Container<'_>, bundle: &Bundle) -> StepResult {
    let pid_file = lab.dir.join("second.pid");
    let second = |values: Values| values.with("id", first.id()).with("pid-file", pid_file.to_string_lossy());
    refusal::leaves(first, lab, out, "create of an id that is taken", || {
        Ok(lab.try_create_from(&lab.dir, bundle, second)?.outcome)
    })
}
