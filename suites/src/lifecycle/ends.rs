//! How a container's process can end, and containers side by side (`runtime.md#lifecycle`).

use std::fs::File;

use nix::sys::signal::{Signal, kill};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::process::{Capture, Ended, KEPT, null};
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::{self, Ask};
use plimsoll_reports::model::Axis;

const CITES: &[&str] = &["runtime.lifecycle.exit-causes", "runtime.state.status-stopped"];
const STILL_RUNNING: &[Fault] = &[Fault::Lie("/status", "\"running\"")];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new("lifecycle.end/exit-0", CITES, STILL_RUNNING, |lab, out| {
        ended(lab, out, |container| container.tell(Ask::Exit(0)))
    }),
    Scenario::new("lifecycle.end/exit-7", CITES, STILL_RUNNING, |lab, out| {
        ended(lab, out, |container| container.tell(Ask::Exit(7)))
    }),
    Scenario::new("lifecycle.end/killed-by-another", CITES, STILL_RUNNING, |lab, out| {
        ended(lab, out, |container| Ok(kill(container.pid, Signal::SIGKILL)?))
    })
    .needs(&[Need::HostView]),
    Scenario::new("lifecycle.end/killed-when-created", CITES, STILL_RUNNING, |lab, out| {
        let container = lab.created(|r| r)?;
        kill(container.pid, Signal::SIGKILL)?;
        container.wait()?;
        out.expect_eq("status", container.state()?.status(), "stopped");
        container.delete()?.ok()
    })
    .needs(&[Need::HostView]),
    // Who has to reap the process may be slow to do so.
    Scenario::new("lifecycle.end/not-yet-reaped", CITES, STILL_RUNNING, |lab, out| {
        let container = lab.running(|r| r)?;
        container.tell(Ask::Exit(0))?;
        container.ended()?;
        out.expect_eq("status", container.state()?.status(), "stopped");
        container.wait()?;
        container.delete()?.ok()
    }),
    Scenario::new("lifecycle.end/right-at-start", CITES, STILL_RUNNING, |lab, out| {
        let container = lab.created(|r| r.args(&[probe::PATH, "exit=0"]))?;
        container.start()?.ok()?;
        container.wait()?;
        out.expect_eq("status", container.state()?.status(), "stopped");
        container.delete()?.ok()
    }),
    Scenario::new(
        "lifecycle.side-by-side/are-independent",
        &["runtime.state.id-unique-on-host", "runtime.kill.delivers-signal", "runtime.delete.keeps-foreign-resources"],
        &[Fault::Ignore(Op::Kill), Fault::Lie("/pid", "7")],
        |lab, out| {
            let (first, second) = (lab.running(|r| r)?, lab.running(|r| r)?);
            let before = second.state()?;
            out.expect("their processes", first.state()?.pid() != before.pid(), "two", before.pid());
            first.kill(Signal::SIGKILL)?.ok()?;
            first.wait()?;
            out.expect_eq("the other after kill", second.state()?, before.clone());
            first.delete()?.ok()?;
            out.expect_eq("the other after delete", second.state()?, before);
            out.expect("the other's program", second.ask(Ask::Session)?.is_ok(), "answers", ());
            second.finish_and_delete()
        },
    ),
    Scenario::new("lifecycle.run/exit-code-0", CITES, &[Fault::Fail(Op::Run)], |lab, out| runs(lab, out, 0))
        .axis(Axis::Compat)
        .needs(&[Need::Operation(Op::Run)]),
    Scenario::new("lifecycle.run/exit-code-7", CITES, &[Fault::Succeed(Op::Run)], |lab, out| runs(lab, out, 7))
        .axis(Axis::Compat)
        .needs(&[Need::Operation(Op::Run)]),
    Scenario::new("lifecycle.run/exit-code-255", CITES, &[Fault::Succeed(Op::Run)], |lab, out| runs(lab, out, 255))
        .axis(Axis::Compat)
        .needs(&[Need::Operation(Op::Run)]),
];

fn ended(lab: &Lab<'_>, out: &mut Judgement, end: impl FnOnce(&Container<'_>) -> StepResult) -> StepResult {
    let container = lab.running(|r| r)?;
    end(&container)?;
    container.wait()?;
    out.expect_eq("status", container.state()?.status(), "stopped");
    container.delete()?.ok()
}

/// `run` in the foreground gives back the exit code of the program, and deletes the container.
fn runs(lab: &Lab<'_>, out: &mut Judgement, code: i32) -> StepResult {
    let bundle = lab.bundle(|r| r.args(&[probe::PATH, &format!("exit={code}")]))?;
    let values = Values::default().with("id", &bundle.id).with("bundle", bundle.dir.to_string_lossy());
    let (mut stderr, err) = Capture::pipe(KEPT)?;
    let streams = vec![null()?, File::create(lab.dir.join("stdout"))?.into(), err];
    let (running, command) = lab.driver.start(Op::Run, &values, &lab.dir, streams)?;
    let end = running.finish(&mut [&mut stderr], lab.driver.deadline())?;
    let outcome = lab.driver.settle(Op::Run, command, &end, String::new(), stderr.text())?;
    out.expect_eq("the end of run", outcome.ended, Ended::Exit(code));
    out.expect("state afterwards", !lab.call_id(Op::State, &bundle.id)?.succeeded(), "an error: it is deleted", ());
    Ok(())
}
