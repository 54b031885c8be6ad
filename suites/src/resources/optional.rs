//! Members of `linux.resources` that may be absent or empty: whatever is not set keeps the value that a new group has.

use plimsoll_engine::cgroup::{Knob, Version};
use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use serde_json::json;

use super::values::unlimited;
use super::{cpu, memory, pids};

const RESOURCES: &str = "/linux/resources";
const LOOKS: &[Knob] = &[memory::MAX, memory::LOW, cpu::SHARES, cpu::QUOTA, pids::MAX];

/// What a new group has of each of these, in version 1 and in version 2.
const DEFAULTS: [[&str; 2]; 5] =
    [[UNLIMITED, "max"], [UNLIMITED, "0"], ["1024", "100"], ["-1", "max 100000"], ["max", "max"]];

const UNLIMITED: &str = "no limit";

/// Nothing is limited that the configuration does not limit.
const KEEPS: Rule = Rule::by_host(
    "resources.optional-members",
    &[
        "linux.resources.memory.optional-members",
        "linux.resources.cpu.optional-members",
        "linux.resources.cpu.optional-members-since-1-1-0",
        "linux.resources.block-io.optional-members",
        "linux.resources.devices.optional-members",
        "linux.optional-members-since-1-0-2",
        "linux.optional-members-since-1-1-0",
        "linux.optional-members-since-1-3-0",
        "runtime.lifecycle.environment-per-config",
    ],
    |_, evidence, out| {
        for (knob, [one, two]) in LOOKS.iter().zip(DEFAULTS) {
            let held = evidence.knob_value(knob);
            let version = held.map_or(Version::Two, |held| held.version);
            let default = if version == Version::One { one } else { two };
            let default = if default == UNLIMITED { unlimited() } else { default.to_owned() };
            out.expect_eq(knob.name(), held.map(|held| held.text.as_str()), Ok(default.as_str()));
        }
    },
)
.knobs(LOOKS)
.needs(&[
    Need::HostView,
    Need::Knob(memory::MAX),
    Need::Knob(cpu::SHARES),
    Need::Knob(cpu::QUOTA),
    Need::Knob(pids::MAX),
]);

const SETS: &[Fault] = &[
    Fault::Take("/linux/resources/memory", r#"{"limit":67108864}"#),
    Fault::Take("/linux/resources/pids", r#"{"limit":77}"#),
    Fault::Take("/linux/resources/cpu", r#"{"shares":512}"#),
];
const SETS_WITHOUT: &[Fault] = &[
    Fault::Take(RESOURCES, r#"{"memory":{"reservation":67108864}}"#),
    Fault::Take(RESOURCES, r#"{"cpu":{"quota":50000}}"#),
];

/// One case a row: the resources.
macro_rules! keeps {
    ($($name:literal, $resources:expr, $faults:expr;)*) => {
        &[$(Case::new(&KEEPS, $name, |r| r.set(RESOURCES, $resources), $faults)),*]
    };
}

pub(super) const CASES: &[Case] = keeps! {
    "none", json!({}), SETS;
    "empty-memory", json!({ "memory": {} }), SETS;
    "empty-cpu", json!({ "cpu": {} }), SETS;
    "empty-pids", json!({ "pids": {} }), SETS;
    "empty-block-io", json!({ "blockIO": {} }), SETS;
    "empty-lists", json!({ "devices": [], "hugepageLimits": [], "rdma": {}, "unified": {} }), SETS;
    "all-empty", json!({
        "memory": {}, "cpu": {}, "pids": {}, "blockIO": {}, "devices": [], "hugepageLimits": [], "network": {}
    }), SETS;
};

pub(super) const ABSENT: &[Case] = &[Case::new(&KEEPS, "absent", |r| r.remove(RESOURCES), SETS_WITHOUT)];
