//! `list`, `ps`, `events` and `state`: the output agrees with the kernel.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::PATH;
use serde_json::Value;

use super::{compat, process};
use crate::refusal;

const LIST: &[Need] = &[Need::Operation(Op::List)];
const PS: &[Need] = &[Need::Operation(Op::Ps), Need::HostView];
const EXEC_PS: &[Need] = &[Need::Operation(Op::Ps), Need::Operation(Op::Exec), Need::HostView];
const EVENTS: &[Need] = &[Need::Operation(Op::Events), Need::HostView, Need::Controller("pids")];

/// What an operation prints, as JSON.
pub(super) fn printed(lab: &Lab<'_>, op: Op, values: &Values) -> StepResult<Value> {
    let outcome = lab.call(op, values)?;
    outcome.ok()?;
    serde_json::from_str(&outcome.stdout)
        .map_err(|_| Stop::broken(format!("the output of {op}"), "JSON", outcome.stdout.clone()))
}

/// The containers that list shows; no container at all may be `null`.
fn listed(lab: &Lab<'_>) -> StepResult<Vec<Value>> {
    match printed(lab, Op::List, &Values::default().with("json", ""))? {
        Value::Array(entries) => Ok(entries),
        Value::Null => Ok(Vec::new()),
        other => Err(Stop::broken("the output of list", "an array", other.to_string())),
    }
}

fn entry<'v>(entries: &'v [Value], id: &str) -> StepResult<&'v Value> {
    let found = entries.iter().find(|entry| entry["id"] == id);
    found.ok_or_else(|| Stop::broken("list", format!("shows {id}"), entries.describe()))
}

/// The processes that ps shows.
fn shown(lab: &Lab<'_>, id: &str) -> StepResult<Vec<i64>> {
    let value = printed(lab, Op::Ps, &Values::default().with("id", id))?;
    Ok(value.as_array().into_iter().flatten().filter_map(Value::as_i64).collect())
}

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.list.containers/none-left", LIST, &[Fault::Ignore(Op::List), Fault::Fail(Op::List)], |lab, out| {
        // A state directory that was never used may not be there, and then some say so.
        lab.stopped(|r| r)?.delete()?.ok()?;
        out.expect_eq("containers after the last was deleted", listed(lab)?.len(), 0);
        Ok(())
    };
    "compat.list.containers/each-with-its-status", LIST,
        &[Fault::Ignore(Op::List), Fault::Misreport(Op::List, "/0/status", "\"none\"")], |lab, out| {
            let (created, running, stopped) = (lab.created(|r| r)?, lab.running(|r| r)?, lab.stopped(|r| r)?);
            let entries = listed(lab)?;
            out.expect_eq("how many", entries.len(), 3);
            for (container, status) in [(&created, "created"), (&running, "running"), (&stopped, "stopped")] {
                out.expect_eq("status", &entry(&entries, container.id())?["status"], status);
            }
            running.finish_and_delete()?;
            stopped.delete()?.ok()?;
            out.expect_eq("how many are left", listed(lab)?.len(), 1);
            created.delete_by_force()?.ok()
        };
    "compat.list.members/pid-and-bundle", LIST,
        &[Fault::Misreport(Op::List, "/0/pid", "1"), Fault::Misreport(Op::List, "/0/bundle", "\"/\"")], |lab, out| {
            let container = lab.running(|r| r)?;
            let entries = listed(lab)?;
            let own = entry(&entries, container.id())?;
            out.expect_eq("pid", own["pid"].as_i64(), container.state()?.pid());
            out.expect_eq("bundle", own["bundle"].as_str(), container.bundle.dir.to_str());
            container.finish_and_delete()
        };
    "compat.list.members/agree-with-state", LIST,
        &[Fault::Lie("/status", "\"created\""), Fault::Misreport(Op::List, "/0/status", "\"paused\"")], |lab, out| {
            let container = lab.stopped(|r| r)?;
            let (entries, state) = (listed(lab)?, container.state()?);
            out.expect_eq("status", entry(&entries, container.id())?["status"].as_str(), Some(&*state.status()));
            container.delete()?.ok()
        };
    "compat.state.stopped/names-no-process", &[Need::HostView], &[Fault::Lie("/pid", "1")], |lab, out| {
        let container = lab.stopped(|r| r)?;
        // The number of a process that has ended may be another's by now: none, 0, or that of the past are all right.
        let pid = container.state()?.pid();
        let past = i64::from(container.pid.as_raw());
        out.expect("pid", pid.is_none_or(|pid| pid == 0 || pid == past), "none that is alive", pid);
        container.delete()?.ok()
    };
    "compat.ps.processes/init", PS,
        &[Fault::Ignore(Op::Ps), Fault::Fail(Op::Ps), Fault::Misreport(Op::Ps, "/0", "1")], |lab, out| {
            let container = lab.running(|r| r)?;
            out.expect_eq("processes", shown(lab, container.id())?, [i64::from(container.pid.as_raw())]);
            container.finish_and_delete()
        };
    "compat.ps.processes/exec-too", EXEC_PS, &[Fault::Ignore(Op::Ps), Fault::ExecMovedOut], |lab, out| {
        let container = lab.running(|r| r)?;
        let mut program = container.exec(&process(&[PATH]))?;
        let hello = program.greeted()?;
        let added = program.pid(&hello)?.map(|pid| i64::from(pid.as_raw()));
        let shown = shown(lab, container.id())?;
        out.expect_eq("how many", shown.len(), 2);
        out.expect("the added one", added.is_some_and(|pid| shown.contains(&pid)), added.describe(), &shown);
        program.finish()?.ok()?;
        container.finish_and_delete()
    };
    "compat.ps.refused/unknown-container", PS, &[Fault::Succeed(Op::Ps), Fault::Ignore(Op::Ps)], |lab, out| {
        refusal::of(lab, out, "ps", || lab.call_id(Op::Ps, &format!("{}-none", lab.tag)))
    };
    "compat.events.stats/number-of-processes", EVENTS,
        &[Fault::Ignore(Op::Events), Fault::Misreport(Op::Events, "/data/pids/current", "9")], |lab, out| {
            let container = lab.running(|r| r)?;
            let stats = printed(lab, Op::Events, &Values::default().with("id", container.id()))?;
            out.expect_eq("type", &stats["type"], "stats");
            out.expect_eq("id", &stats["id"], container.id());
            out.expect_eq("processes", &stats["data"]["pids"]["current"], 1);
            container.finish_and_delete()
        };
    "compat.events.stats/memory-limit", &[Need::Operation(Op::Events), Need::HostView, Need::Controller("memory")],
        &[Fault::Ignore(Op::Events), Fault::Drop("/linux/resources/memory")], |lab, out| {
            let container = lab.running(|r| r.set("/linux/resources/memory/limit", 64 << 20))?;
            let stats = printed(lab, Op::Events, &Values::default().with("id", container.id()))?;
            let usage = &stats["data"]["memory"]["usage"];
            out.expect_eq("limit", &usage["limit"], 64 << 20);
            let used = usage["usage"].as_u64();
            out.expect("usage", used.is_some_and(|used| 0 < used && used <= 64 << 20), "up to the limit", used);
            container.finish_and_delete()
        };
    "compat.events.stats/processor-time", &[Need::Operation(Op::Events), Need::HostView, Need::Controller("cpuacct")],
        &[Fault::Ignore(Op::Events), Fault::Misreport(Op::Events, "/data/cpu/usage/total", "0")], |lab, out| {
            let container = lab.running(|r| r)?;
            let stats = printed(lab, Op::Events, &Values::default().with("id", container.id()))?;
            let used = stats["data"]["cpu"]["usage"]["total"].as_u64();
            out.expect("processor time", used.is_some_and(|used| used > 0), "some", used);
            container.finish_and_delete()
        };
    "compat.events.refused/unknown-container", EVENTS, &[Fault::Succeed(Op::Events), Fault::Ignore(Op::Events)],
        |lab, out| refusal::of(lab, out, "events", || lab.call_id(Op::Events, &format!("{}-none", lab.tag)));
};
