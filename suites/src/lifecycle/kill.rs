//! kill sends the given signal to the container's process (`runtime.md#kill`).

use nix::sys::signal::Signal;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, Outcome, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_reports::model::Axis;

use crate::refusal;

const CITES: &[&str] = &["runtime.kill.delivers-signal"];

macro_rules! delivers {
    ($($id:literal, $signal:ident;)*) => {
        &[$(Scenario::new($id, CITES, &[Fault::Ignore(Op::Kill), Fault::Send(Signal::SIGPROF)], |lab, out| {
            delivers(lab, out, Signal::$signal)
        })),*]
    };
}

pub(super) const SIGNALS: &[Scenario] = delivers! {
    "lifecycle.kill/delivers-hup", SIGHUP;
    "lifecycle.kill/delivers-int", SIGINT;
    "lifecycle.kill/delivers-quit", SIGQUIT;
    "lifecycle.kill/delivers-usr1", SIGUSR1;
    "lifecycle.kill/delivers-usr2", SIGUSR2;
    "lifecycle.kill/delivers-term", SIGTERM;
    "lifecycle.kill/delivers-cont", SIGCONT;
    "lifecycle.kill/delivers-winch", SIGWINCH;
};

fn delivers(lab: &Lab<'_>, out: &mut Judgement, signal: Signal) -> StepResult {
    let container = lab.running(|r| r)?;
    let before = caught(&container)?;
    container.kill(signal)?.ok()?;
    // The kernel hands a pending signal over before the program reads on.
    out.expect_eq("the signal that arrived", (before, caught(&container)?), (0, signal as i64));
    out.expect_eq("status after the signal", container.state()?.status(), "running");
    container.finish_and_delete()
}

/// The last signal that the program caught. The first question installs its handlers.
fn caught(container: &Container<'_>) -> StepResult<i64> {
    Ok(match container.ask(Ask::CaughtSignal)? {
        Ok(Reply::Count(signal)) => signal,
        Ok(_) | Err(_) => -1,
    })
}

/// A container whose program catches what it is sent.
fn catching<'l>(lab: &'l Lab<'_>) -> StepResult<Container<'l>> {
    let container = lab.running(|r| r)?;
    caught(&container)?;
    Ok(container)
}

/// Kill by a signal as the command line spells it.
fn kill_by(container: &Container<'_>, signal: &str) -> StepResult<Outcome> {
    container.call(Op::Kill, |values| values.with("signal", signal))
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "lifecycle.kill/kill-ends-it",
        &["runtime.kill.delivers-signal", "runtime.lifecycle.exit-causes", "runtime.state.status-stopped"],
        &[Fault::Ignore(Op::Kill), Fault::Send(Signal::SIGTERM)],
        |lab, out| {
            let container = catching(lab)?;
            container.kill(Signal::SIGKILL)?.ok()?;
            container.wait()?;
            out.expect_eq("status after SIGKILL", container.state()?.status(), "stopped");
            container.delete()?.ok()
        },
    ),
    // How a command line spells signals is a custom: numbers, real-time signals among them, and the prefix.
    Scenario::new("lifecycle.kill/signal-by-number", CITES, &[Fault::Ignore(Op::Kill)], |lab, out| {
        spelled(lab, out, &[("12", 12), ("37", 37)])
    })
    .axis(Axis::Compat),
    Scenario::new("lifecycle.kill/signal-with-prefix", CITES, &[Fault::Ignore(Op::Kill)], |lab, out| {
        spelled(lab, out, &[("SIGUSR1", 10), ("SIGTERM", 15)])
    })
    .axis(Axis::Compat),
    // The kernel keeps count of those: two that are sent at once are two.
    Scenario::new(
        "lifecycle.kill/delivered-once",
        CITES,
        &[Fault::Twice(Op::Kill), Fault::Ignore(Op::Kill)],
        |lab, out| {
            let container = catching(lab)?;
            let outcome = kill_by(&container, &REAL_TIME.to_string())?;
            if !outcome.succeeded() {
                return Err(Stop::Skip(format!("the runtime sends no signal {REAL_TIME}")));
            }
            let times = container.ask(Ask::TimesCaught(REAL_TIME))?;
            out.expect("how often the signal arrived", times == Ok(Reply::Count(1)), "once", times);
            container.finish_and_delete()
        },
    )
    .axis(Axis::Compat),
    // Signal 0 only tests whether the process exists. Some runtimes do not support it.
    Scenario::new(
        "lifecycle.kill/signal-0-has-no-effect",
        CITES,
        &[Fault::Send(Signal::SIGKILL), Fault::Send(Signal::SIGPROF)],
        |lab, out| {
            let container = catching(lab)?;
            let outcome = kill_by(&container, "0")?;
            out.expect_eq("the signal that arrived", caught(&container)?, 0);
            out.expect_eq(&format!("status after kill 0 ({})", outcome.said()), container.state()?.status(), "running");
            container.finish_and_delete()
        },
    )
    .axis(Axis::Compat),
    Scenario::new(
        "lifecycle.kill/unknown-signal",
        &["runtime.errors.no-side-effects"],
        &[Fault::Succeed(Op::Kill)],
        |lab, out| {
            let container = catching(lab)?;
            for name in ["NOSUCH", "4711", "-9"] {
                refusal::leaves(&container, lab, out, &format!("kill by signal `{name}`"), || {
                    kill_by(&container, name)
                })?;
            }
            out.expect_eq("the signal that arrived", caught(&container)?, 0);
            container.finish_and_delete()
        },
    )
    .axis(Axis::Compat),
];

/// A signal of which the kernel keeps each one that is sent.
const REAL_TIME: i32 = 37;

fn spelled(lab: &Lab<'_>, out: &mut Judgement, spellings: &[(&str, i64)]) -> StepResult {
    let container = catching(lab)?;
    for (name, number) in spellings {
        let outcome = kill_by(&container, name)?;
        out.expect_eq(&format!("the signal that arrived for {name}"), caught(&container)?, *number);
        out.expect(&format!("kill {name}"), outcome.succeeded(), "success: exit 0", outcome.said());
    }
    container.finish_and_delete()
}
