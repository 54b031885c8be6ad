//! Members of version 1 on a host with version 2 alone (`config-linux.md#unified`): what has no counterpart there is an
//! error, and what can be converted is converted or an error.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use serde_json::{Value, json};

use super::cpu::SHARES;

const ALONE: &[Need] = &[Need::HostView, Need::UnifiedAlone];

/// One scenario a row: the resources that create must refuse.
macro_rules! refused {
    ($needs:expr, $cites:expr; $($id:literal, $resources:expr;)*) => {
        &[$(Scenario::new($id, $cites, &[Fault::Succeed(plimsoll_engine::profile::Op::Create), Fault::Ignore(plimsoll_engine::profile::Op::Create)], |lab, out| {
            refuses(lab, out, $resources)
        }).needs($needs)),*]
    };
}

pub(super) use refused;

pub(super) fn refuses(lab: &Lab<'_>, out: &mut Judgement, resources: Value) -> StepResult {
    lab.control(|r| r)?;
    let bundle = lab.bundle(|r| r.set("/linux/resources", resources))?;
    crate::refusal::by_create(lab, out, &bundle)
}

pub(super) const WITHOUT_COUNTERPART: &[Scenario] = refused! {
    ALONE,
    &[
        "linux.resources.unified.v1-conversion-impossible-error",
        "linux.resources.block-io.leaf-weight",
        "linux.resources.memory.kernel",
        "runtime.errors.no-side-effects",
    ];
    "resources.version-1/swappiness", json!({ "memory": { "swappiness": 60 } });
    "resources.version-1/kernel-memory", json!({ "memory": { "kernel": 64 << 20 } });
    "resources.version-1/kernel-tcp", json!({ "memory": { "kernelTCP": 64 << 20 } });
    "resources.version-1/disable-oom-killer", json!({ "memory": { "disableOOMKiller": true } });
    "resources.version-1/class-id", json!({ "network": { "classID": 1_048_577 } });
    "resources.version-1/priorities", json!({ "network": { "priorities": [{ "name": "lo", "priority": 5 }] } });
    "resources.version-1/leaf-weight", json!({ "blockIO": { "leafWeight": 100 } });
    "resources.version-1/realtime-runtime", json!({ "cpu": { "realtimeRuntime": 10_000 } });
    "resources.version-1/realtime-period", json!({ "cpu": { "realtimePeriod": 1_000_000 } });
};

pub(super) const CONVERTED: &[Scenario] = &[IN_ORDER];

/// More shares are never less weight, whichever way they are converted.
const IN_ORDER: Scenario = Scenario::new(
    "resources.version-1/shares-in-order",
    &["linux.resources.cpu.shares", "linux.resources.unified.v1-conversion-allowed"],
    &[Fault::Take("/linux/resources/cpu/shares", "700")],
    |lab, out| {
        let mut weights = Vec::new();
        for shares in [2, 300, 1024, 20_000, 262_144] {
            let container = lab.running(|r| r.set("/linux/resources/cpu/shares", shares))?;
            weights.push(container.knob_value(&SHARES)?.ok().and_then(|held| held.text.parse::<u64>().ok()));
            container.finish_and_delete()?;
        }
        let rising = weights.windows(2).all(|pair| pair[0].is_some() && pair[0] < pair[1]);
        out.expect("weights", rising, "each greater than the one before", weights);
        Ok(())
    },
)
.needs(&[Need::Knob(SHARES)]);

pub(super) const INVALID: &[Scenario] = refused! {
    &[Need::HostView, Need::Knob(super::cpu::CPUS)],
    &["runtime.create.unappliable-property-error", "runtime.errors.no-side-effects", "linux.resources.cpu.list-format"];
    "resources.cpu.invalid/no-such-processor", json!({ "cpu": { "cpus": "4095" } });
    "resources.cpu.invalid/no-list-of-processors", json!({ "cpu": { "cpus": "x" } });
    "resources.cpu.invalid/no-such-node", json!({ "cpu": { "mems": "1000" } });
    "resources.cpu.invalid/no-list-of-nodes", json!({ "cpu": { "mems": "x" } });
};

pub(super) const SWAP: &[Scenario] = refused! {
    &[Need::HostView, Need::Knob(super::memory::SWAP)],
    &["runtime.create.unappliable-property-error", "runtime.errors.no-side-effects"];
    "resources.memory.swap/less-than-the-limit",
        json!({ "memory": { "limit": 128 << 20, "swap": 64 << 20 } });
};

const TOO_MUCH: &[Scenario] = refused! {
    &[Need::HostView, Need::Knob(super::cpu::BURST)],
    &[
        "linux.resources.cpu.burst-not-above-quota",
        "linux.resources.cpu.burst-above-quota-may-error",
        "linux.resources.cpu.quota-not-below-burst",
        "linux.resources.cpu.quota-below-burst-may-error",
    ];
    "resources.cpu.invalid/burst-above-the-quota", json!({ "cpu": { "quota": 10_000, "burst": 20_000 } });
};

pub(super) const BURST: &[Scenario] =
    &[TOO_MUCH[0].advisory("the author must not, and the text says that a runtime MAY make an error of it, not MUST")];
