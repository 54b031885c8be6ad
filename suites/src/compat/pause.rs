//! `pause` and `resume`: all processes of the container stop and continue.

use std::time::Instant;

use nix::sys::signal::Signal;
use plimsoll_engine::cgroup::Membership;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::foreground::Foreground;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Reply};

use super::{compat, nobody};
use crate::refusal;

const PAUSE: &[Need] = &[Need::Operation(Op::Pause), Need::Operation(Op::Resume)];
const SEEN: &[Need] = &[Need::Operation(Op::Pause), Need::Operation(Op::Resume), Need::HostView];

pub(super) fn pause(container: &Container<'_>) -> StepResult {
    container.call(Op::Pause, |values| values)?.ok()
}

pub(super) fn resume(container: &Container<'_>) -> StepResult {
    container.call(Op::Resume, |values| values)?.ok()
}

/// Whether the kernel has the container's group frozen. With version 1 it may still be at it, and nobody is told when it
/// is done: each look makes it look.
pub(super) fn is_frozen(lab: &Lab<'_>, container: &Container<'_>) -> StepResult<bool> {
    let group = freezing(container)?;
    if !group.v2 {
        let deadline = lab.driver.deadline();
        let state = || group.read("freezer.state");
        while state()?.trim() == "FREEZING" && Instant::now() < deadline {
            std::thread::yield_now();
        }
        return Ok(state()?.trim() == "FROZEN");
    }
    Ok(group.read("cgroup.freeze")?.trim() == "1")
}

/// The group by which the container is frozen: that of the freezer of version 1, where there is one.
fn freezing(container: &Container<'_>) -> StepResult<Membership> {
    let mut groups = container.observe()?.cgroups;
    groups.retain(|group| group.v2 || group.controllers.iter().any(|name| name == "freezer"));
    let group = groups.into_iter().min_by_key(|group| group.v2);
    group.ok_or_else(|| Stop::Skip("no cgroup can freeze: mount the freezer or cgroup v2".into()))
}

/// Waits until another process stands in the frozen group; not when the call that was to bring it has ended.
pub(super) fn await_another(lab: &Lab<'_>, container: &Container<'_>, call: &Foreground<'_>) -> StepResult<bool> {
    let group = freezing(container)?;
    let deadline = lab.driver.deadline();
    while Instant::now() < deadline && call.is_under_way()? {
        if group.read("cgroup.procs")?.lines().count() > 1 {
            return Ok(true);
        }
        std::thread::yield_now();
    }
    Ok(false)
}

/// The last signal that the program caught. The first question installs its handlers.
fn caught(container: &Container<'_>) -> StepResult<i64> {
    let answer = container.ask(Ask::CaughtSignal)?;
    Ok(if let Ok(Reply::Count(signal)) = answer { signal } else { -1 })
}

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.pause.freezes/by-the-kernel", SEEN,
        &[Fault::Ignore(Op::Pause), Fault::Ignore(Op::Resume), Fault::Fail(Op::Pause), Fault::Fail(Op::Resume)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            out.expect_eq("frozen before pause", is_frozen(lab, &container)?, false);
            pause(&container)?;
            out.expect_eq("frozen after pause", is_frozen(lab, &container)?, true);
            resume(&container)?;
            out.expect_eq("frozen after resume", is_frozen(lab, &container)?, false);
            container.finish_and_delete()
        };
    "compat.pause.status/paused-and-running-again", SEEN,
        &[Fault::Ignore(Op::Pause), Fault::Ignore(Op::Resume), Fault::Lie("/status", "\"running\"")], |lab, out| {
            let container = lab.running(|r| r)?;
            pause(&container)?;
            // Not every runtime waits until the last process stands still.
            out.expect_eq("frozen", is_frozen(lab, &container)?, true);
            out.expect_eq("status when paused", container.state()?.status(), "paused");
            resume(&container)?;
            out.expect_eq("status when resumed", container.state()?.status(), "running");
            container.finish_and_delete()
        };
    "compat.pause.kill/ends-what-is-paused", SEEN, &[Fault::Ignore(Op::Kill), Fault::Send(Signal::SIGUSR2)], |lab, out| {
        // On cgroup version 1 the kernel lets no frozen process die.
        let container = lab.running(|r| r)?;
        pause(&container)?;
        container.kill(Signal::SIGKILL)?.ok()?;
        container.wait()?;
        out.expect_eq("status", container.state()?.status(), "stopped");
        container.delete()?.ok()
    };
    "compat.pause.signal/waits-for-resume", SEEN, &[Fault::Ignore(Op::Kill), Fault::Send(Signal::SIGUSR2)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            caught(&container)?;
            pause(&container)?;
            container.kill(Signal::SIGUSR1)?.ok()?;
            out.expect_eq("frozen after a signal", is_frozen(lab, &container)?, true);
            out.expect_eq("status after a signal", container.state()?.status(), "paused");
            resume(&container)?;
            out.expect_eq("the signal that arrived", caught(&container)?, Signal::SIGUSR1 as i64);
            container.finish_and_delete()
        };
    "compat.pause.several/in-turn", SEEN,
        &[Fault::Flaky(Op::Pause, 0), Fault::Flaky(Op::Resume, 0), Fault::Flaky(Op::Pause, 1), Fault::Flaky(Op::Resume, 1)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            for turn in 1..=6 {
                pause(&container)?;
                out.expect_eq(&format!("frozen after pause {turn}"), is_frozen(lab, &container)?, true);
                resume(&container)?;
                out.expect_eq(&format!("frozen after resume {turn}"), is_frozen(lab, &container)?, false);
            }
            container.finish_and_delete()
        };
    "compat.pause.delete/by-force-when-paused", PAUSE, &[Fault::Ignore(Op::Delete), Fault::Fail(Op::Delete)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            pause(&container)?;
            container.delete_by_force()?.ok()?;
            container.wait()?;
            out.expect("state after delete", !container.query_state()?.succeeded(), "an error", "success");
            Ok(())
        };
    "compat.pause.refused/created-container", PAUSE, &[Fault::Ignore(Op::Create), Fault::Ignore(Op::Resume)],
        |lab, out| {
            // Some runtimes can freeze what is not started yet. Then it can be thawed, and started.
            let container = lab.created(|r| r)?;
            if container.call(Op::Pause, |values| values)?.succeeded() {
                resume(&container)?;
            }
            out.expect_eq("status", container.state()?.status(), "created");
            container.started()?;
            container.finish_and_delete()
        };
    "compat.pause.refused/stopped-container", PAUSE, &[Fault::Succeed(Op::Pause)], |lab, out| {
        let container = lab.stopped(|r| r)?;
        refusal::leaves(&container, lab, out, "pause", || container.call(Op::Pause, |values| values))?;
        container.delete()?.ok()
    };
    "compat.resume.refused/stopped-container", PAUSE, &[Fault::Succeed(Op::Resume)], |lab, out| {
        let container = lab.stopped(|r| r)?;
        refusal::leaves(&container, lab, out, "resume", || container.call(Op::Resume, |values| values))?;
        container.delete()?.ok()
    };
    "compat.pause.refused/unknown-container", PAUSE, &[Fault::Succeed(Op::Pause)], |lab, out| {
        refusal::of(lab, out, "pause", || lab.call(Op::Pause, &nobody(lab)))
    };
    "compat.resume.refused/unknown-container", PAUSE, &[Fault::Succeed(Op::Resume)], |lab, out| {
        refusal::of(lab, out, "resume", || lab.call(Op::Resume, &nobody(lab)))
    };
};
