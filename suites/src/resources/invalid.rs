//! Members of `linux.resources` that have to be there, or that exclude each other. What is missing is neither 0 nor false.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use serde_json::json;

use super::{block_io, others};

const RESOURCES: &str = "/linux/resources";
const IO: &[Need] = &[Need::HostView, Need::Knob(block_io::READ_BPS), Need::BlockDevice];
const HUGE: &[Need] = &[Need::HostView, Need::Knob(others::HUGE)];
const PRIORITIES: &[Need] = &[Need::HostView, Need::Knob(others::PRIORITIES)];

/// One scenario a row: what is wrong, and what a runtime may take instead that would be right.
macro_rules! refused {
    ($($id:literal, $needs:expr, $clause:literal, $resources:expr, $right:literal;)*) => {
        &[$(Scenario::new(
            concat!("resources.invalid/", $id),
            &[$clause, "config.values.invalid-error", "runtime.errors.no-side-effects"],
            &[Fault::Take(RESOURCES, $right)],
            |lab, out| crate::refusal::by_create(lab, out, &lab.bundle(|r| r.set(RESOURCES, $resources))?),
        ).needs($needs)),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = refused! {
    "device-rule-without-allow", &[Need::HostView], "linux.resources.devices.allow-required",
        json!({ "devices": [{ "type": "c", "major": 60, "minor": 3, "access": "rwm" }] }),
        r#"{"devices":[{"allow":true,"type":"c","major":60,"minor":3,"access":"rwm"}]}"#;
    "device-rule-of-no-type", &[Need::HostView], "linux.resources.devices.type-default-all",
        json!({ "devices": [{ "allow": true, "type": "x", "major": 60, "minor": 3, "access": "rwm" }] }),
        r#"{"devices":[{"allow":true,"type":"c","major":60,"minor":3,"access":"rwm"}]}"#;
    "device-rule-of-no-access", &[Need::HostView], "linux.resources.devices.access-letters",
        json!({ "devices": [{ "allow": true, "type": "c", "major": 60, "minor": 3, "access": "rwx" }] }),
        r#"{"devices":[{"allow":true,"type":"c","major":60,"minor":3,"access":"rwm"}]}"#;
    "throttle-without-a-device", IO, "linux.resources.block-io.throttle-numbers-required",
        json!({ "blockIO": { "throttleReadBpsDevice": [{ "rate": 1_048_576 }] } }), "{}";
    "throttle-without-a-rate", IO, "linux.resources.block-io.throttle-rate-required", {
            let mut io = block_io::entry(1);
            plimsoll_fixtures::recipe::remove(&mut io, "/0/rate");
            json!({ "blockIO": { "throttleReadBpsDevice": io } })
        }, "{}";
    "throttle-of-no-such-device", IO, "linux.resources.block-io.throttle-read-bps",
        json!({ "blockIO": { "throttleReadBpsDevice": [{ "major": 60, "minor": 3, "rate": 1_048_576 }] } }), "{}";
    "weight-without-a-device", IO, "linux.resources.block-io.weight-device-numbers-required",
        json!({ "blockIO": { "weightDevice": [{ "weight": 100 }] } }), "{}";
    "weight-device-without-a-weight", IO, "linux.resources.block-io.weight-device-at-least-one",
        json!({ "blockIO": { "weightDevice": [{ "major": 7, "minor": 0 }] } }), "{}";
    "huge-pages-without-a-size", HUGE, "linux.resources.hugepage.members-required",
        json!({ "hugepageLimits": [{ "limit": 2_097_152 }] }), "{}";
    "huge-pages-without-a-limit", HUGE, "linux.resources.hugepage.members-required",
        json!({ "hugepageLimits": [{ "pageSize": "2MB" }] }), "{}";
    "priority-without-a-name", PRIORITIES, "linux.resources.network.priority-members-required",
        json!({ "network": { "priorities": [{ "priority": 5 }] } }), "{}";
    "priority-of-no-interface", PRIORITIES, "linux.resources.network.priority-members-required",
        json!({ "network": { "priorities": [{ "name": "plimsoll9", "priority": 5 }] } }), "{}";
    "rdma-without-a-limit", &[Need::HostView], "linux.resources.rdma.at-least-one",
        json!({ "rdma": { "plimsoll0": {} } }), "{}";
};
