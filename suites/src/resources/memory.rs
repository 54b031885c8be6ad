//! `linux.resources.memory` (`config-linux.md#memory`): what the memory controller holds.

use plimsoll_engine::cgroup::{Knob, KnobValue, Version};
use plimsoll_engine::check::Case;
use plimsoll_engine::fault::{Fault, ValueFault};
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Config;
use serde_json::Value;

use super::values::{Member, bytes, cases, is_bytes, number, rule};

pub(super) const LIMIT_AT: &str = "/linux/resources/memory/limit";
const RESERVATION_AT: &str = "/linux/resources/memory/reservation";
const SWAP_AT: &str = "/linux/resources/memory/swap";
const KERNEL_TCP_AT: &str = "/linux/resources/memory/kernelTCP";
const SWAPPINESS_AT: &str = "/linux/resources/memory/swappiness";
const NO_KILLER_AT: &str = "/linux/resources/memory/disableOOMKiller";
const HIERARCHY_AT: &str = "/linux/resources/memory/useHierarchy";

pub(super) const MAX: Knob = Knob { controller: "memory", v1: "memory.limit_in_bytes", v2: "memory.max" };
pub(super) const LOW: Knob = Knob { controller: "memory", v1: "memory.soft_limit_in_bytes", v2: "memory.low" };
pub(super) const SWAP: Knob = Knob { controller: "memory", v1: "memory.memsw.limit_in_bytes", v2: "memory.swap.max" };
const TCP: Knob = Knob { controller: "memory", v1: "memory.kmem.tcp.limit_in_bytes", v2: "" };
const SWAPPINESS: Knob = Knob { controller: "memory", v1: "memory.swappiness", v2: "" };
pub(super) const OOM: Knob = Knob { controller: "memory", v1: "memory.oom_control", v2: "" };
const HIERARCHY: Knob = Knob { controller: "memory", v1: "memory.use_hierarchy", v2: "" };

const MIB: i64 = 1 << 20;

rule!(
    LIMIT_RULE,
    "resources.memory.limit",
    &["linux.resources.memory.limit", "linux.resources.memory.bytes-or-unlimited"],
    Member { at: LIMIT_AT, knobs: &[MAX], is: bytes }
);

pub(super) const LIMIT: &[Case] = cases! { &LIMIT_RULE, &[Need::Knob(MAX)];
    "whole-pages", [LIMIT_AT => 64 * MIB],
        &[Fault::Drop(LIMIT_AT), Fault::Value(LIMIT_AT, ValueFault::Double), Fault::MoveOut, Fault::Beside];
    "odd", [LIMIT_AT => 100_000_001], &[Fault::Drop(LIMIT_AT), Fault::Value(LIMIT_AT, ValueFault::Double)];
    "last-byte-of-a-page", [LIMIT_AT => 64 * MIB - 1],
        &[Fault::Drop(LIMIT_AT), Fault::Value(LIMIT_AT, ValueFault::OffByOne)];
    "above-32-bits", [LIMIT_AT => 5_000_000_000_i64], &[Fault::Drop(LIMIT_AT), Fault::Take(LIMIT_AT, "705032704")];
    "above-53-bits", [LIMIT_AT => 9_007_199_254_740_992_i64 + 4095],
        &[Fault::Drop(LIMIT_AT), Fault::Value(LIMIT_AT, ValueFault::OffByOne)];
    "unlimited", [LIMIT_AT => -1], &[Fault::Take(LIMIT_AT, "1073741824")];
};

rule!(
    RESERVATION_RULE,
    "resources.memory.reservation",
    &["linux.resources.memory.reservation", "linux.resources.memory.bytes-or-unlimited"],
    Member { at: RESERVATION_AT, knobs: &[LOW], is: bytes }
);

pub(super) const RESERVATION: &[Case] = cases! { &RESERVATION_RULE, &[Need::Knob(LOW)];
    "whole-pages", [RESERVATION_AT => 32 * MIB],
        &[Fault::Drop(RESERVATION_AT), Fault::Value(RESERVATION_AT, ValueFault::Double)];
    "last-byte-of-a-page", [RESERVATION_AT => 32 * MIB - 1],
        &[Fault::Drop(RESERVATION_AT), Fault::Value(RESERVATION_AT, ValueFault::OffByOne)];
    "below-the-limit", [RESERVATION_AT => 32 * MIB, LIMIT_AT => 64 * MIB],
        &[Fault::Drop(RESERVATION_AT), Fault::Take(RESERVATION_AT, "67108864")];
};

/// In version 1 the file has memory and swap together, in version 2 swap alone.
fn swap(wanted: &Value, held: &KnobValue, config: &Config) -> bool {
    let both = wanted.as_i64().unwrap_or_default();
    let memory = if held.version == Version::Two && both >= 0 { config.number(LIMIT_AT).unwrap_or(0) } else { 0 };
    is_bytes(both - memory, held)
}

rule!(
    SWAP_RULE,
    "resources.memory.swap",
    &["linux.resources.memory.swap", "linux.resources.memory.bytes-or-unlimited"],
    Member { at: SWAP_AT, knobs: &[SWAP], is: swap }
);

pub(super) const SWAPS: &[Case] = cases! { &SWAP_RULE, &[Need::Knob(SWAP)];
    "above-the-limit", [LIMIT_AT => 64 * MIB, SWAP_AT => 96 * MIB],
        &[Fault::Drop(SWAP_AT), Fault::Value(SWAP_AT, ValueFault::Double)];
    "last-byte-of-a-page", [LIMIT_AT => 64 * MIB, SWAP_AT => 96 * MIB - 1],
        &[Fault::Drop(SWAP_AT), Fault::Value(SWAP_AT, ValueFault::OffByOne)];
    "none-at-all", [LIMIT_AT => 64 * MIB, SWAP_AT => 64 * MIB],
        &[Fault::Drop(SWAP_AT), Fault::Take(SWAP_AT, "-1")];
    "unlimited", [LIMIT_AT => 64 * MIB, SWAP_AT => -1], &[Fault::Take(SWAP_AT, "134217728")];
};

rule!(
    TCP_RULE,
    "resources.memory.kernel-tcp",
    &["linux.resources.memory.kernel-tcp"],
    Member { at: KERNEL_TCP_AT, knobs: &[TCP], is: bytes }
);

pub(super) const KERNEL_TCP: &[Case] = cases! { &TCP_RULE, &[Need::Knob(TCP)];
    "whole-pages", [KERNEL_TCP_AT => 16 * MIB],
        &[Fault::Drop(KERNEL_TCP_AT), Fault::Value(KERNEL_TCP_AT, ValueFault::Double)];
    "last-byte-of-a-page", [KERNEL_TCP_AT => 16 * MIB - 1],
        &[Fault::Drop(KERNEL_TCP_AT), Fault::Value(KERNEL_TCP_AT, ValueFault::OffByOne)];
};

rule!(
    SWAPPINESS_RULE,
    "resources.memory.swappiness",
    &["linux.resources.memory.swappiness"],
    Member { at: SWAPPINESS_AT, knobs: &[SWAPPINESS], is: number }
);

pub(super) const SWAPPINESSES: &[Case] = cases! { &SWAPPINESS_RULE, &[Need::Knob(SWAPPINESS)];
    "zero", [SWAPPINESS_AT => 0], &[Fault::Drop(SWAPPINESS_AT), Fault::Value(SWAPPINESS_AT, ValueFault::OffByOne)];
    "one", [SWAPPINESS_AT => 1], &[Fault::Drop(SWAPPINESS_AT), Fault::Value(SWAPPINESS_AT, ValueFault::OffByOne)];
    "greatest", [SWAPPINESS_AT => 100], &[Fault::Drop(SWAPPINESS_AT), Fault::Take(SWAPPINESS_AT, "99")];
};

/// A line of the file, besides those that count.
fn killer(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    let disabled = u8::from(wanted.as_bool().unwrap_or_default());
    held.text.lines().any(|line| line == format!("oom_kill_disable {disabled}"))
}

rule!(
    KILLER_RULE,
    "resources.memory.disable-oom-killer",
    &["linux.resources.memory.disable-oom-killer"],
    Member { at: NO_KILLER_AT, knobs: &[OOM], is: killer }
);

pub(super) const KILLER: &[Case] = cases! { &KILLER_RULE, &[Need::Knob(OOM)];
    "true", [NO_KILLER_AT => true], &[Fault::Drop(NO_KILLER_AT), Fault::Value(NO_KILLER_AT, ValueFault::Flip)];
    "false", [NO_KILLER_AT => false], &[Fault::Value(NO_KILLER_AT, ValueFault::Flip)];
};

rule!(
    HIERARCHY_RULE,
    "resources.memory.use-hierarchy",
    &["linux.resources.memory.use-hierarchy"],
    Member { at: HIERARCHY_AT, knobs: &[HIERARCHY], is: |_, held, _| held.text == "1" }
);

/// Kernels since 5.11 always count children, so that nothing but a refusal can be wrong there.
pub(super) const USE_HIERARCHY: &[Case] = cases! { &HIERARCHY_RULE, &[Need::Knob(HIERARCHY)];
    "true", [HIERARCHY_AT => true], &[Fault::Fail(plimsoll_engine::profile::Op::Create), Fault::MoveOut];
};
