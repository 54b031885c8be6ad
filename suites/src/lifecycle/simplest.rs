//! The lifecycle of the simplest container. Every other check relies on it, so it runs first.

use nix::sys::signal::Signal;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::profile::Op;

pub(super) const SCENARIOS: &[Scenario] = &[SIMPLEST];

const SIMPLEST: Scenario = Scenario::new(
    "lifecycle.simplest-container",
    &[
        "runtime.operations.supported",
        "runtime.create.makes-container",
        "runtime.start.runs-program",
        "runtime.lifecycle.user-program-run",
    ],
    &[
        Fault::Ignore(Op::Create),
        Fault::Ignore(Op::Start),
        Fault::Ignore(Op::Kill),
        Fault::Ignore(Op::Delete),
        Fault::Lie("/status", "\"gone\""),
    ],
    |lab, out| {
        let container = lab.created(|r| r)?;
        out.expect_eq("status after create", container.state()?.status(), "created");
        container.started()?;
        out.expect_eq("status after start", container.state()?.status(), "running");
        container.kill(Signal::SIGKILL)?.ok()?;
        container.wait()?;
        out.expect_eq("status after the end of the process", container.state()?.status(), "stopped");
        container.delete()?.ok()?;
        container.query_state()?.refused()?;
        Ok(())
    },
);
