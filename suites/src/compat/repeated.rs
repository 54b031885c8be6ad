//! Operations give the same result each time: a runtime that fails only sometimes is faulty.

use nix::sys::signal::Signal;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::process::Ended;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::PATH;
use serde_json::json;

use super::update::update;
use super::{cgroup_value, compat, process};

/// How often. A fault of one call in a dozen is seen more often than not in one run, and in each few.
const TIMES: i64 = 12;

/// A whole lifecycle costs five calls.
const LIFECYCLES: usize = 5;

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.repeated.lifecycle/one-after-another", &[], &[
        Fault::Flaky(Op::Create, 0), Fault::Flaky(Op::Create, 1), Fault::Flaky(Op::Start, 0), Fault::Flaky(Op::Start, 1),
        Fault::Flaky(Op::Kill, 0), Fault::Flaky(Op::Kill, 1), Fault::Flaky(Op::Delete, 0), Fault::Flaky(Op::Delete, 1),
    ], one_after_another;
    "compat.repeated.lifecycle/side-by-side", &[], &[Fault::Flaky(Op::Create, 0), Fault::Flaky(Op::Create, 1)],
        |lab, out| {
            let containers = (0..LIFECYCLES).map(|_| lab.running(|r| r)).collect::<Result<Vec<_>, _>>()?;
            for container in &containers {
                out.expect_eq("status", container.state()?.status(), "running");
            }
            containers.iter().try_for_each(|container| container.finish_and_delete())
        };
    "compat.repeated.state/same-each-time", &[], &[Fault::Flaky(Op::State, 0), Fault::Flaky(Op::State, 1)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            let first = container.state()?;
            for time in 2..=TIMES {
                out.expect_eq(&format!("state, call {time}"), container.state()?.0, first.0.clone());
            }
            container.finish_and_delete()
        };
    "compat.repeated.exec/one-after-another", &[Need::Operation(Op::Exec)],
        &[Fault::Flaky(Op::Exec, 0), Fault::Flaky(Op::Exec, 1)], |lab, out| {
            let container = lab.running(|r| r)?;
            for code in 1..=8 {
                let outcome = container.exec(&process(&[PATH, &format!("exit={}", code + 1)]))?.finish()?;
                out.expect_eq("how exec ends", outcome.ended, Ended::Exit(code + 1));
            }
            container.finish_and_delete()
        };
    "compat.repeated.update/applied-each-time",
        &[Need::Operation(Op::Update), Need::HostView, Need::Controller("pids")],
        &[Fault::Flaky(Op::Update, 0), Fault::Flaky(Op::Update, 1)], |lab, out| {
            let container = lab.running(|r| r)?;
            for limit in 100..100 + TIMES {
                update(lab, &container, &json!({ "pids": { "limit": limit } }))?.ok()?;
                out.expect_eq("pids", cgroup_value(&container, "pids", "pids.max", "pids.max")?, limit.to_string());
            }
            container.finish_and_delete()
        };
    "compat.repeated.queries/list-and-ps", &[Need::Operation(Op::List), Need::Operation(Op::Ps)],
        &[Fault::Flaky(Op::List, 0), Fault::Flaky(Op::List, 1), Fault::Flaky(Op::Ps, 0), Fault::Flaky(Op::Ps, 1)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            for op in [Op::List, Op::Ps] {
                let values = Values::default().with("id", container.id());
                let first = lab.call(op, &values)?;
                first.ok()?;
                for time in 2..=TIMES {
                    let again = lab.call(op, &values)?;
                    again.ok()?;
                    out.expect_eq(&format!("{op}, call {time}"), &again.stdout, &first.stdout);
                }
            }
            container.finish_and_delete()
        };
};

fn one_after_another(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let bundle = lab.bundle(|r| r)?;
    for number in 1..=LIFECYCLES {
        let container = lab.create(&bundle)?;
        container.started()?;
        container.kill(Signal::SIGKILL)?.ok()?;
        container.wait()?;
        container.delete()?.ok()?;
        let state = container.query_state()?;
        out.expect(&format!("state after lifecycle {number}"), !state.succeeded(), "an error", state.stdout);
    }
    Ok(())
}
