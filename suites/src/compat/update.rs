//! `update`: changes the given limits of a running container.

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, Outcome, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use serde_json::{Value, json};

use super::{cgroup_value, compat, nobody};
use crate::refusal;

const UPDATE: &[Need] = &[Need::Operation(Op::Update)];
const PIDS: &[Need] = &[Need::Operation(Op::Update), Need::HostView, Need::Controller("pids")];
const MEMORY: &[Need] = &[Need::Operation(Op::Update), Need::HostView, Need::Controller("memory")];
const CPU: &[Need] = &[Need::Operation(Op::Update), Need::HostView, Need::Controller("cpu")];
const BOTH: &[Need] =
    &[Need::Operation(Op::Update), Need::HostView, Need::Controller("pids"), Need::Controller("memory")];

pub(super) const RESOURCES: &str = "/linux/resources";
const MIB: u64 = 1 << 20;

/// A limit: where the configuration has it, its controller, and its file in version 1 and in version 2.
pub(super) struct Limit(&'static str, &'static str, &'static str, &'static str);

pub(super) const NUMBER: Limit = Limit("/pids/limit", "pids", "pids.max", "pids.max");
pub(super) const BYTES: Limit = Limit("/memory/limit", "memory", "memory.limit_in_bytes", "memory.max");
pub(super) const SOFT: Limit = Limit("/memory/reservation", "memory", "memory.soft_limit_in_bytes", "memory.low");
pub(super) const SHARES: Limit = Limit("/cpu/shares", "cpu", "cpu.shares", "cpu.weight");
pub(super) const PERIOD: Limit = Limit("/cpu/period", "cpu", "cpu.cfs_period_us", "cpu.max");
pub(super) const QUOTA: Limit = Limit("/cpu/quota", "cpu", "cpu.cfs_quota_us", "cpu.max");

pub(super) const BURST: Limit = Limit("/cpu/burst", "cpu", "cpu.cfs_burst_us", "cpu.max.burst");
pub(super) const IDLE: Limit = Limit("/cpu/idle", "cpu", "cpu.idle", "cpu.idle");
pub(super) const SWAP: Limit = Limit("/memory/swap", "memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
pub(super) const WEIGHT: Limit = Limit("/blockIO/weight", "blkio", "blkio.bfq.weight", "io.bfq.weight");

impl Limit {
    pub(super) const fn knob(&self) -> Knob {
        Knob { controller: self.1, v1: self.2, v2: self.3 }
    }

    /// Resources that set this limit alone.
    pub(super) fn resources(&self, value: u64) -> Value {
        let (group, name) = self.0.trim_start_matches('/').split_once('/').unwrap_or_default();
        json!({ group: { name: value } })
    }

    pub(super) fn value(&self, container: &Container<'_>) -> StepResult<String> {
        cgroup_value(container, self.1, self.2, self.3)
    }
}

/// Calls update with these resources.
pub(super) fn update(lab: &Lab<'_>, container: &Container<'_>, resources: &Value) -> StepResult<Outcome> {
    let told = lab.settings.fault.map_or_else(|| resources.clone(), |fault| fault.resources(resources.clone()));
    let path = written(lab, &told.to_string())?;
    container.call(Op::Update, |values| values.with("resources", path))
}

/// A file with the resources for update.
fn written(lab: &Lab<'_>, resources: &str) -> StepResult<String> {
    let path = lab.dir.join("resources.json");
    std::fs::write(&path, resources).map_err(Stop::error("write the resources of update"))?;
    Ok(path.to_string_lossy().into_owned())
}

/// A container with these resources gets others; what the kernel holds of each limit before and after.
fn changed<const N: usize>(
    lab: &Lab<'_>,
    limits: [&Limit; N],
    before: Value,
    after: &Value,
) -> StepResult<[(String, String); N]> {
    let container = lab.running(|r| r.set(RESOURCES, before))?;
    let old = limits.iter().map(|limit| limit.value(&container)).collect::<StepResult<Vec<_>>>()?;
    update(lab, &container, after)?.ok()?;
    let new = limits.iter().map(|limit| limit.value(&container)).collect::<StepResult<Vec<_>>>()?;
    container.finish_and_delete()?;
    let pairs: Vec<_> = old.into_iter().zip(new).collect();
    pairs.try_into().map_err(|_| Stop::Error("a limit was lost".into()))
}

/// The held value becomes `to`, or, where version 2 has another unit, at least another one.
fn becomes(lab: &Lab<'_>, out: &mut Judgement, limit: &Limit, [from, to]: [u64; 2]) -> StepResult {
    let [(old, new)] = changed(lab, [limit], limit.resources(from), &limit.resources(to))?;
    judge(out, limit, [from, to], &old, &new);
    Ok(())
}

/// What was held is the first of the two values, and what is held now the second.
pub(super) fn judge(out: &mut Judgement, limit: &Limit, [from, to]: [u64; 2], old: &str, new: &str) {
    let same_unit = old == from.to_string();
    out.expect("before", same_unit || limit.2 != limit.3, from.to_string(), old);
    out.expect("after update", if same_unit { new == to.to_string() } else { new != old }, to.to_string(), new);
}

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.update.applied/pids", PIDS, &[Fault::Ignore(Op::Update), Fault::Fail(Op::Update)],
        |lab, out| becomes(lab, out, &NUMBER, [100, 200]);
    "compat.update.applied/memory", MEMORY, &[Fault::Ignore(Op::Update)],
        |lab, out| becomes(lab, out, &BYTES, [64 * MIB, 128 * MIB]);
    "compat.update.applied/smaller-memory", MEMORY, &[Fault::Ignore(Op::Update)],
        |lab, out| becomes(lab, out, &BYTES, [128 * MIB, 64 * MIB]);
    "compat.update.applied/memory-reservation", MEMORY, &[Fault::Ignore(Op::Update)],
        |lab, out| becomes(lab, out, &SOFT, [32 * MIB, 16 * MIB]);
    "compat.update.applied/cpu-shares", CPU, &[Fault::Ignore(Op::Update)],
        |lab, out| becomes(lab, out, &SHARES, [512, 2048]);
    "compat.update.applied/cpu-quota", CPU, &[Fault::Ignore(Op::Update)],
        |lab, out| becomes(lab, out, &QUOTA, [50_000, 70_000]);
    "compat.update.keeps/other-controllers", BOTH,
        &[Fault::Ignore(Op::Update), Fault::Drop("/linux/resources/pids")], |lab, out| {
            let before = json!({ "pids": { "limit": 77 }, "memory": { "limit": 64 * MIB } });
            let after = json!({ "memory": { "limit": 96 * MIB } });
            let [pids, memory] = changed(lab, [&NUMBER, &BYTES], before, &after)?;
            out.expect_eq("pids, not named", (pids.0.as_str(), pids.1.as_str()), ("77", "77"));
            out.expect_eq("memory, named", memory.1, (96 * MIB).to_string());
            Ok(())
        };
    "compat.update.keeps/other-limits-of-the-controller", CPU,
        &[Fault::Ignore(Op::Update), Fault::Value("/linux/resources/cpu/quota", plimsoll_engine::fault::ValueFault::Drop)],
        |lab, out| {
            let before = json!({ "cpu": { "shares": 512, "quota": 50_000, "period": 100_000 } });
            let [quota, shares] = changed(lab, [&QUOTA, &SHARES], before, &json!({ "cpu": { "shares": 1024 } }))?;
            out.expect("quota before", quota.0.starts_with("50000"), "50000", &quota.0);
            out.expect_eq("quota, not named", &quota.1, &quota.0);
            out.expect("shares, named", shares.0 != shares.1, "another value", &shares.1);
            Ok(())
        };
    "compat.update.keeps/everything-when-nothing-is-named", BOTH,
        &[Fault::Fail(Op::Update), Fault::Drop("/linux/resources/memory")], |lab, out| {
            let before = json!({ "pids": { "limit": 77 }, "memory": { "limit": 64 * MIB } });
            let [pids, memory] = changed(lab, [&NUMBER, &BYTES], before, &json!({}))?;
            out.expect_eq("pids", (pids.0.as_str(), pids.1.as_str()), ("77", "77"));
            out.expect_eq("memory", (&memory.0, &memory.1), (&(64 * MIB).to_string(), &(64 * MIB).to_string()));
            Ok(())
        };
    "compat.update.memory/beyond-the-old-swap-limit", MEMORY, &[Fault::Ignore(Op::Update), Fault::Fail(Op::Update)],
        |lab, out| {
            // The kernel wants the limit of memory with swap never to be below that of memory, so the order counts.
            let limits = |value: u64| json!({ "memory": { "limit": value, "swap": value } });
            let [bytes] = changed(lab, [&BYTES], limits(64 * MIB), &limits(256 * MIB))?;
            out.expect_eq("memory", bytes.1, (256 * MIB).to_string());
            Ok(())
        };
    "compat.update.created/before-start", PIDS, &[Fault::Ignore(Op::Update), Fault::Fail(Op::Update)], |lab, out| {
        let container = lab.created(|r| r.set(RESOURCES, json!({ "pids": { "limit": 100 } })))?;
        update(lab, &container, &json!({ "pids": { "limit": 90 } }))?.ok()?;
        container.started()?;
        out.expect_eq("pids", NUMBER.value(&container)?, "90");
        container.finish_and_delete()
    };
};

pub(super) const REFUSED: &[Scenario] = compat! {
    "compat.update.refused/no-json", UPDATE, &[Fault::Succeed(Op::Update), Fault::Ignore(Op::Update)], |lab, out| {
        let container = lab.running(|r| r)?;
        let path = written(lab, "{")?;
        refusal::leaves(&container, lab, out, "update from a broken file", || {
            container.call(Op::Update, |values| values.with("resources", &path))
        })?;
        container.finish_and_delete()
    };
    "compat.update.refused/unknown-container", UPDATE, &[Fault::Succeed(Op::Update), Fault::Ignore(Op::Update)],
        |lab, out| {
            let values = nobody(lab).with("resources", written(lab, "{}")?);
            refusal::of(lab, out, "update", || lab.call(Op::Update, &values))
        };
    "compat.update.refused/stopped-container", UPDATE, &[Fault::Succeed(Op::Update), Fault::Ignore(Op::Update)],
        |lab, out| {
            let container = lab.stopped(|r| r)?;
            refusal::leaves(&container, lab, out, "update", || {
                update(lab, &container, &json!({ "pids": { "limit": 9 } }))
            })?;
            container.delete()?.ok()
        };
};
