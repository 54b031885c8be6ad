//! Operations in a state in which they are errors (`runtime.md#operations`).

use nix::sys::signal::Signal;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::profile::Op;

use crate::refusal;

const START: &[&str] =
    &["runtime.start.not-created-error", "runtime.start.not-created-no-effect", "runtime.errors.no-side-effects"];
const KILL: &[&str] =
    &["runtime.kill.wrong-state-error", "runtime.kill.wrong-state-no-effect", "runtime.errors.no-side-effects"];
const DELETE: &[&str] =
    &["runtime.delete.not-stopped-error", "runtime.delete.not-stopped-no-effect", "runtime.errors.no-side-effects"];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("lifecycle.start/of-a-running-container", START, &[Fault::Succeed(Op::Start)], |lab, out| {
        let container = lab.running(|r| r.log_program())?;
        refusal::leaves(&container, lab, out, "start of a running container", || container.start())?;
        out.expect_eq("how often the program ran", container.bundle.hook_log()?.len(), 1);
        container.finish_and_delete()
    }),
    Scenario::new("lifecycle.start/of-a-stopped-container", START, &[Fault::Succeed(Op::Start)], |lab, out| {
        let container = lab.stopped(|r| r.log_program())?;
        refusal::leaves(&container, lab, out, "start of a stopped container", || container.start())?;
        out.expect_eq("how often the program ran", container.bundle.hook_log()?.len(), 1);
        container.delete()?.ok()
    }),
    Scenario::new("lifecycle.kill/of-a-stopped-container", KILL, &[Fault::Succeed(Op::Kill)], |lab, out| {
        let container = lab.stopped(|r| r)?;
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            refusal::leaves(&container, lab, out, "kill of a stopped container", || container.kill(signal))?;
        }
        container.delete()?.ok()
    }),
    Scenario::new("lifecycle.delete/of-a-running-container", DELETE, &[Fault::Succeed(Op::Delete)], |lab, out| {
        let container = lab.running(|r| r)?;
        refusal::leaves(&container, lab, out, "delete of a running container", || container.delete())?;
        container.finish_and_delete()
    }),
    // Many delete it all the same; what does so on purpose has an option for it.
    Scenario::new("lifecycle.delete/of-a-created-container", DELETE, &[Fault::Succeed(Op::Delete)], |lab, out| {
        let container = lab.created(|r| r)?;
        let outcome = container.delete()?;
        if outcome.succeeded() {
            out.expect("delete of a created container", false, "an error without effect", outcome.said());
            return Ok(());
        }
        out.expect_eq("status after the refused delete", container.state()?.status(), "created");
        container.started()?;
        container.finish_and_delete()
    }),
    Scenario::new(
        "lifecycle.kill/of-a-created-container",
        &["runtime.kill.allowed-when-created", "runtime.kill.delivers-signal", "runtime.state.status-stopped"],
        &[Fault::Ignore(Op::Kill), Fault::Fail(Op::Kill)],
        |lab, out| {
            let container = lab.created(|r| r)?;
            container.kill(Signal::SIGKILL)?.ok()?;
            container.wait()?;
            out.expect_eq("status after the kill", container.state()?.status(), "stopped");
            out.expect("the program", !container.has_spoken(), "never runs", "it has spoken");
            container.delete()?.ok()
        },
    ),
];
