//! Which group the limits are of: the container's own, before its program runs, and no other; and what nobody named
//! stays as it was (`config-linux.md#control-groups`, `#cgroups-path`).

use plimsoll_engine::cgroup::{self, Knob};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use serde_json::json;

use super::pod::Pod;
use super::{cpu, memory, pids};

const PATH: &str = "/linux/cgroupsPath";
const RESOURCES: &str = "/linux/resources";
const PIDS: &[Need] = &[Need::HostView, Need::Knob(pids::MAX)];
const BOTH: &[Need] = &[Need::HostView, Need::Knob(pids::MAX), Need::Knob(memory::MAX)];

fn text(container: &Container<'_>, knob: &Knob) -> StepResult<Result<String, String>> {
    Ok(container.knob_value(knob)?.map(|held| held.text))
}

pub(super) const SCENARIOS: &[Scenario] =
    &[BEFORE_START, NOT_ABOVE, STAYS, ONLY_WHAT_IS_NAMED, WITHIN_THE_OUTER, REALTIME, SHARED_PATH, OCCUPIED];

const BEFORE_START: Scenario = Scenario::new(
    "resources.own-cgroup/limits-are-there-before-start",
    &["runtime.lifecycle.resources-exist-before-start", "linux.resources.pids.limit", "linux.resources.memory.limit"],
    &[Fault::Drop("/linux/resources/pids"), Fault::Drop("/linux/resources/memory"), Fault::MoveOut, Fault::Beside],
    |lab, out| {
        let resources = json!({ "pids": { "limit": 77 }, "memory": { "limit": 64 << 20 } });
        let container = lab.created(|r| r.set(RESOURCES, resources))?;
        for when in ["after create", "after start"] {
            out.expect_eq(&format!("pids.max {when}"), text(&container, &pids::MAX)?, Ok("77".to_owned()));
            let bytes = (64 << 20).to_string();
            out.expect_eq(&format!("limit of memory {when}"), text(&container, &memory::MAX)?, Ok(bytes));
            if when == "after create" {
                container.started()?;
            }
        }
        container.finish_and_delete()
    },
)
.needs(BOTH);

/// The limits of a container are none of its neighbours'.
const NOT_ABOVE: Scenario = Scenario::new(
    "resources.own-cgroup/not-in-the-group-above",
    &["linux.resources.pids.limit", "linux.cgroups-path.joins-or-creates"],
    &[Fault::Above, Fault::Drop("/linux/resources/pids")],
    |lab, out| {
        let pod = Pod::make(lab)?;
        let made = lab.running(|r| r.set(PATH, pod.within("c")).set(RESOURCES, json!({ "pids": { "limit": 77 } })))?;
        out.expect_eq("pids.max of the container", text(&made, &pids::MAX)?, Ok("77".to_owned()));
        out.expect_eq("pids.max of the group above", pod_limit(&pod)?, None);
        made.finish_and_delete()?;
        pod.remove()
    },
)
.needs(PIDS);

/// The limit of tasks of a group that may have no such controller for lack of one below that wants it.
fn pod_limit(pod: &Pod) -> StepResult<Option<u64>> {
    Ok(pod.get("pids.max")?.parse().ok())
}

/// A group that is there already, and a configuration that says nothing of limits.
const STAYS: Scenario = Scenario::new(
    "resources.own-cgroup/without-resources-limits-stay",
    &["linux.resources.only-when-updating"],
    &[Fault::Take(RESOURCES, r#"{"pids":{"limit":-1}}"#), Fault::Take(RESOURCES, r#"{"pids":{"limit":51}}"#)],
    |lab, out| {
        let pod = Pod::make(lab)?;
        pod.set("pids.max", "50")?;
        let container = lab.running(|r| r.set(PATH, pod.path()))?;
        out.expect_eq("pids.max, set before", text(&container, &pids::MAX)?, Ok("50".to_owned()));
        container.finish_and_delete()?;
        pod.remove()
    },
)
.needs(PIDS);

/// One limit is named, and the others of the same group are not.
const ONLY_WHAT_IS_NAMED: Scenario = Scenario::new(
    "resources.own-cgroup/what-is-not-named-stays",
    &["linux.resources.only-when-updating"],
    &[
        Fault::Take("/linux/resources/pids", r#"{"limit":-1}"#),
        Fault::Take("/linux/resources/cpu", r#"{"shares":1024}"#),
        Fault::Take("/linux/resources/memory/limit", "134217728"),
        Fault::Drop("/linux/resources/memory"),
    ],
    |lab, out| {
        let pod = Pod::make(lab)?;
        pod.set("pids.max", "50")?;
        let weight = if pod.get("cpu.shares").is_ok() { "cpu.shares" } else { "cpu.weight" };
        pod.set(weight, "333")?;
        let container =
            lab.running(|r| r.set(PATH, pod.path()).set(RESOURCES, json!({ "memory": { "limit": 64 << 20 } })))?;
        out.expect_eq("pids.max, set before", text(&container, &pids::MAX)?, Ok("50".to_owned()));
        out.expect_eq(&format!("{weight}, set before"), text(&container, &cpu::SHARES)?, Ok("333".to_owned()));
        let named = text(&container, &memory::MAX)?;
        out.expect_eq("limit of memory, named", named, Ok((64 << 20).to_string()));
        container.finish_and_delete()?;
        pod.remove()
    },
)
.needs(&[Need::HostView, Need::Knob(pids::MAX), Need::Knob(memory::MAX), Need::Knob(cpu::SHARES)]);

/// The group above has a limit of its own, which is not the container's to lift.
const WITHIN_THE_OUTER: Scenario = Scenario::new(
    "resources.own-cgroup/the-limit-above-stays",
    &["linux.resources.pids.limit", "linux.resources.only-when-updating"],
    &[Fault::Drop("/linux/resources/pids"), Fault::Above],
    |lab, out| {
        let pod = Pod::make(lab)?;
        pod.set("pids.max", "40")?;
        let made = lab.running(|r| r.set(PATH, pod.within("c")).set(RESOURCES, json!({ "pids": { "limit": 60 } })))?;
        out.expect_eq("pids.max of the container", text(&made, &pids::MAX)?, Ok("60".to_owned()));
        out.expect_eq("pids.max of the group above", pod_limit(&pod)?, Some(40));
        made.finish_and_delete()?;
        pod.remove()
    },
)
.needs(PIDS);

const RT_RUNTIME: Knob = Knob { controller: "cpu", v1: "cpu.rt_runtime_us", v2: "" };
const RT_PERIOD: Knob = Knob { controller: "cpu", v1: "cpu.rt_period_us", v2: "" };

/// The group above has to have a budget to give from.
const REALTIME: Scenario = Scenario::new(
    "resources.cpu.realtime/runtime-and-period",
    &["linux.resources.cpu.realtime-runtime", "linux.resources.cpu.realtime-period"],
    &[
        Fault::Drop("/linux/resources/cpu/realtimeRuntime"),
        Fault::Drop("/linux/resources/cpu/realtimePeriod"),
        Fault::Take("/linux/resources/cpu/realtimeRuntime", "1001"),
        Fault::Take("/linux/resources/cpu/realtimePeriod", "500001"),
    ],
    |lab, out| {
        let pod = Pod::make(lab)?;
        // Where a container is taken for the host, the group at the root may have none.
        pod.set("cpu.rt_runtime_us", "20000").map_err(|_| {
            Stop::Skip("the group above has no real-time budget to give: run on a host, not in a container".into())
        })?;
        let cpu = json!({ "realtimeRuntime": 1000, "realtimePeriod": 500_000 });
        let container = lab.running(|r| r.set(PATH, pod.within("c")).set("/linux/resources/cpu", cpu))?;
        out.expect_eq("cpu.rt_runtime_us", text(&container, &RT_RUNTIME)?, Ok("1000".to_owned()));
        out.expect_eq("cpu.rt_period_us", text(&container, &RT_PERIOD)?, Ok("500000".to_owned()));
        container.finish_and_delete()?;
        pod.remove()
    },
)
.needs(&[Need::HostView, Need::Knob(RT_RUNTIME)]);

/// A second container for a group that has one: an error, or it stands there, too.
const SHARED_PATH: Scenario = Scenario::new(
    "resources.own-cgroup/two-containers-in-one-group",
    &[
        "linux.cgroups.fitness-check-allowed",
        "linux.cgroups.fitness-check-error",
        "linux.cgroups-path.consistent",
        "runtime.errors.no-side-effects",
    ],
    &[Fault::Ignore(Op::Create), Fault::Beside],
    |lab, out| {
        let path = format!("/plimsoll-{}-shared", lab.tag);
        let first = lab.running(|r| r.set(PATH, &path).set(RESOURCES, json!({ "pids": { "limit": 77 } })))?;
        out.expect_eq("pids.max of the first", text(&first, &pids::MAX)?, Ok("77".to_owned()));
        let bundle = lab.bundle(|r| r.set(PATH, &path))?;
        let watch = lab.watch()?;
        let attempt = lab.try_create(&bundle)?;
        if attempt.outcome.succeeded() {
            let second = attempt.container()?;
            out.expect_eq("groups of both", groups(&second)?, groups(&first)?);
            crate::refusal::discard(lab, &bundle.id)?;
            second.wait()?;
        } else {
            crate::refusal::settle(lab, out, &watch, &bundle, attempt)?;
            out.expect("the first container", first.is_alive()?, "runs", "it has ended");
            out.expect_eq("pids.max of the first", text(&first, &pids::MAX)?, Ok("77".to_owned()));
        }
        crate::refusal::discard(lab, &first.bundle.id)?;
        first.wait()
    },
)
.needs(PIDS);

fn groups(container: &Container<'_>) -> StepResult<Vec<String>> {
    Ok(cgroup::of(container.pid)?.into_iter().map(|membership| membership.path).collect())
}

/// A group with a process that is not the container's: an error, or the process outlives the container.
const OCCUPIED: Scenario = Scenario::new(
    "resources.own-cgroup/a-foreign-process-in-the-group",
    &["runtime.delete.keeps-foreign-resources", "linux.cgroups.fitness-check-error"],
    &[Fault::Ignore(Op::Create), Fault::Beside],
    occupied,
)
.needs(PIDS);

fn occupied(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let pod = Pod::make(lab)?;
    let foreign = lab.hold_namespace("uts")?;
    pod.take_in(foreign.pid)?;
    let bundle = lab.bundle(|r| r.set(PATH, pod.path()))?;
    let watch = lab.watch()?;
    let attempt = lab.try_create(&bundle)?;
    if attempt.outcome.succeeded() {
        let container = attempt.container()?;
        container.started()?;
        let inside = groups(&container)?.iter().any(|group| group == pod.path());
        out.expect("groups of the container", inside, pod.path(), groups(&container)?);
        container.finish()?;
        container.delete()?.ok()?;
    } else {
        crate::refusal::settle(lab, out, &watch, &bundle, attempt)?;
    }
    out.expect("the foreign process", foreign.observe().is_ok(), "alive", "it was killed");
    drop(foreign);
    pod.remove()
}
