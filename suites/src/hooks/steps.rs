//! Each kind of hook runs at its step of the lifecycle, and the operation waits for it.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;

use super::kind::{self, IT, Kind, Lifecycle};

macro_rules! invoked {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.invoked/", $slug),
            &[concat!("runtime.lifecycle.", $slug, "-invoked"), concat!("config.hooks.", $slug, ".", $when)],
            &[
                Fault::Drop(concat!("/hooks/", $member)),
                Fault::Move(concat!("/hooks/", $member), concat!("/hooks/", $elsewhere)),
                Fault::Push(concat!("/hooks/", $member, "/0/args"), "\"detach\""),
            ],
            |lab, out| invoked(&kind::$kind, lab, out),
        )
    };
}

pub(super) const INVOKED: &[Scenario] = for_each_kind!(invoked);

/// A hook that takes its time has run once when its operation returns, and not before that operation.
fn invoked(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &["delay=100"]))?;
    let expected = match kind.during {
        Op::Create => [1, 1, 1],
        Op::Start => [0, 1, 1],
        _ => [0, 0, 1],
    };
    out.expect_eq("runs of the hook after create, start and delete", lifecycle.runs(IT), expected);
    Ok(())
}

pub(super) const OTHERS: &[Scenario] = &[
    POSTSTART_WAITED_FOR,
    POSTSTOP_WAITED_FOR,
    Scenario::new(
        "hooks.poststart/program-is-executed",
        &["config.hooks.poststart.after-program-exec"],
        &[Fault::Move("/hooks/poststart", "/hooks/createRuntime"), Fault::Drop("/hooks/poststart")],
        poststart_sees_the_program,
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "hooks.poststop/container-is-gone",
        &["config.hooks.poststop.after-deletion"],
        &[Fault::Move("/hooks/poststop", "/hooks/poststart"), Fault::Drop("/hooks/poststop")],
        poststop_sees_nothing,
    )
    .needs(&[Need::HostView]),
    STATE_IS_REFUSED,
];

/// While the hook runs the container is one that there is no longer.
const STATE_IS_REFUSED: Scenario = Scenario::new(
    "hooks.poststop/state-is-refused",
    &["config.hooks.poststop.after-deletion"],
    &[Fault::Succeed(Op::State), Fault::Move("/hooks/poststop", "/hooks/poststart"), Fault::Drop("/hooks/poststop")],
    |lab, out| {
        let barrier = lab.hook_barrier();
        let container = lab.stopped(|r| r.hook("poststop", IT, &[&barrier.option()]))?;
        let state = container.state_within_delete(&barrier)?;
        let state = state.ok_or_else(|| Stop::broken("the poststop hook", "called by delete", "it did not come"))?;
        out.expect("state, called while the hook runs", !state.succeeded(), "an error: no container", state.said());
        Ok(())
    },
);

const POSTSTART_WAITED_FOR: Scenario = Scenario::new(
    "hooks.poststart/waited-for",
    &["config.hooks.poststart.before-start-returns"],
    &[Fault::Push("/hooks/poststart/0/args", "\"detach\""), Fault::Drop("/hooks/poststart")],
    |lab, out| {
        let lifecycle = Lifecycle::of(lab, |r| r.hook("poststart", IT, &["delay=100"]))?;
        out.expect_eq("runs of the hook when start returns", lifecycle.runs(IT)[1], 1);
        Ok(())
    },
);

const POSTSTOP_WAITED_FOR: Scenario = Scenario::new(
    "hooks.poststop/waited-for",
    &["config.hooks.poststop.before-delete-returns"],
    &[Fault::Push("/hooks/poststop/0/args", "\"detach\""), Fault::Drop("/hooks/poststop")],
    |lab, out| {
        let container = lab.running(|r| r.hook("poststop", IT, &["delay=100"]))?;
        container.delete_by_force()?.ok()?;
        out.expect_eq("runs of the hook when delete by force returns", container.bundle.hook_log()?.len(), 1);
        Ok(())
    },
);

/// The process that the state names executes the user's program already, though it was held up before.
fn poststart_sees_the_program(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle =
        Lifecycle::of(lab, |r| r.hook("startContainer", "slow", &["delay=100"]).hook("poststart", IT, &[]))?;
    let seen = lifecycle.record(IT)?.container.as_ref().map(|seen| seen.exe.as_str());
    let is_program = seen.is_some_and(|exe| exe.ends_with("/probe"));
    out.expect("what the container's process executes", is_program, "the program, /probe", seen);
    Ok(())
}

/// The control groups of the container, and its directory below the runtime's root, which the host found between create and start,
/// are removed by then. A runtime that keeps its state in some other way has no such directory.
fn poststop_sees_nothing(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let container = lab.created(|r| r.beside("look", "").hook("poststop", IT, &["look={bundle}/look"]))?;
    let groups = container.observe()?.cgroups;
    let own = groups.iter().filter(|group| group.path.contains(container.id())).filter_map(|group| group.dir.as_ref());
    let own: Vec<String> = own.map(|dir| dir.to_string_lossy().into_owned()).collect();
    let state = Some(lab.driver.root.join(container.id())).filter(|state| state.is_dir());
    let looked: Vec<String> =
        state.into_iter().map(|dir| dir.to_string_lossy().into_owned()).chain(own.clone()).collect();
    std::fs::write(container.bundle.dir.join("look"), looked.join("\n"))?;
    container.started()?;
    let before = container.bundle.hook_log()?.len();
    container.finish_and_delete()?;
    let log = container.bundle.hook_log()?;
    out.expect("control groups of the container before start", !own.is_empty(), "at least one", &groups);
    out.expect_eq("runs of the hook before and after delete", [before, log.len()], [0, 1]);
    let left: Vec<&String> = log.iter().flat_map(|record| &record.there).collect();
    out.expect("what the hook finds of the container", left.is_empty(), "none", left);
    Ok(())
}
