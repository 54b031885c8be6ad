//! `linux.resources.cpu` (`config-linux.md#cpu`): what the controllers cpu and cpuset hold.

use plimsoll_engine::cgroup::{Knob, KnobValue, Version};
use plimsoll_engine::check::Case;
use plimsoll_engine::fault::{Fault, ValueFault};
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Config;
use serde_json::Value;

use super::values::{Member, cases, number, rule, written};

pub(super) const SHARES_AT: &str = "/linux/resources/cpu/shares";
pub(super) const QUOTA_AT: &str = "/linux/resources/cpu/quota";
pub(super) const PERIOD_AT: &str = "/linux/resources/cpu/period";
pub(super) const BURST_AT: &str = "/linux/resources/cpu/burst";
pub(super) const IDLE_AT: &str = "/linux/resources/cpu/idle";
pub(super) const CPUS_AT: &str = "/linux/resources/cpu/cpus";
const MEMS_AT: &str = "/linux/resources/cpu/mems";

pub(super) const SHARES: Knob = Knob { controller: "cpu", v1: "cpu.shares", v2: "cpu.weight" };
pub(super) const QUOTA: Knob = Knob { controller: "cpu", v1: "cpu.cfs_quota_us", v2: "cpu.max" };
const PERIOD: Knob = Knob { controller: "cpu", v1: "cpu.cfs_period_us", v2: "cpu.max" };
pub(super) const BURST: Knob = Knob { controller: "cpu", v1: "cpu.cfs_burst_us", v2: "cpu.max.burst" };
pub(super) const IDLE: Knob = Knob::of_both("cpu", "cpu.idle");
pub(super) const CPUS: Knob = Knob::of_both("cpuset", "cpuset.cpus");
const MEMS: Knob = Knob::of_both("cpuset", "cpuset.mems");

/// In version 2 a weight from 1 to 10000. Two conversions are in use; both keep the ends, and the order of values is
/// looked at by a scenario.
fn shares(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    let shares = wanted.as_u64().unwrap_or_default();
    let weight: Option<u64> = held.text.parse().ok();
    match (held.version, shares) {
        (Version::One, _) => weight == Some(shares.clamp(2, 262_144)),
        (Version::Two, ..=2) => weight == Some(1),
        (Version::Two, 262_144..) => weight == Some(10_000),
        (Version::Two, _) => weight.is_some_and(|weight| (1..10_000).contains(&weight)),
    }
}

rule!(
    SHARES_RULE,
    "resources.cpu.shares",
    &["linux.resources.cpu.shares"],
    Member { at: SHARES_AT, knobs: &[SHARES], is: shares }
);

pub(super) const SHARE: &[Case] = cases! { &SHARES_RULE, &[Need::Knob(SHARES)];
    "least", [SHARES_AT => 2], &[Fault::Drop(SHARES_AT), Fault::Take(SHARES_AT, "1024"), Fault::Beside];
    "less-than-the-default", [SHARES_AT => 512], &[Fault::Take(SHARES_AT, "262144")];
    "more-than-the-default", [SHARES_AT => 4097], &[Fault::Take(SHARES_AT, "262144")];
    "greatest", [SHARES_AT => 262_144], &[Fault::Drop(SHARES_AT), Fault::Take(SHARES_AT, "1024")];
};

/// Of the two numbers in `cpu.max`, which version 1 has in files of their own.
fn field(held: &KnobValue, index: usize) -> &str {
    if held.version == Version::One { &held.text } else { held.text.split(' ').nth(index).unwrap_or_default() }
}

fn quota(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    let unlimited = if held.version == Version::One { "-1" } else { "max" };
    let text = field(held, 0);
    if wanted.as_i64().is_some_and(|quota| quota < 0) { text == unlimited } else { text == written(wanted) }
}

rule!(
    QUOTA_RULE,
    "resources.cpu.quota",
    &["linux.resources.cpu.quota"],
    Member { at: QUOTA_AT, knobs: &[QUOTA], is: quota }
);

const QUOTA_FAULTS: &[Fault] = &[Fault::Drop(QUOTA_AT), Fault::Value(QUOTA_AT, ValueFault::OffByOne)];

pub(super) const QUOTAS: &[Case] = cases! { &QUOTA_RULE, &[Need::Knob(QUOTA)];
    "alone", [QUOTA_AT => 50_000], &[Fault::Drop(QUOTA_AT), Fault::Value(QUOTA_AT, ValueFault::OffByOne), Fault::Beside];
    "with-a-period", [QUOTA_AT => 12_345, PERIOD_AT => 54_321], QUOTA_FAULTS;
    "least", [QUOTA_AT => 1000], QUOTA_FAULTS;
    "more-than-the-period", [QUOTA_AT => 150_000, PERIOD_AT => 100_000], QUOTA_FAULTS;
    "unlimited", [QUOTA_AT => -1], &[Fault::Take(QUOTA_AT, "50000")];
};

rule!(
    PERIOD_RULE,
    "resources.cpu.period",
    &["linux.resources.cpu.period"],
    Member { at: PERIOD_AT, knobs: &[PERIOD], is: |wanted, held, _| field(held, 1) == written(wanted) }
);

const PERIOD_FAULTS: &[Fault] = &[Fault::Drop(PERIOD_AT), Fault::Value(PERIOD_AT, ValueFault::OffByOne)];

pub(super) const PERIODS: &[Case] = cases! { &PERIOD_RULE, &[Need::Knob(PERIOD)];
    "alone", [PERIOD_AT => 50_001], PERIOD_FAULTS;
    "with-a-quota", [PERIOD_AT => 54_321, QUOTA_AT => 12_345], PERIOD_FAULTS;
    "least", [PERIOD_AT => 1000], PERIOD_FAULTS;
    "greatest", [PERIOD_AT => 1_000_000], &[Fault::Drop(PERIOD_AT), Fault::Take(PERIOD_AT, "100000")];
};

rule!(
    BURST_RULE,
    "resources.cpu.burst",
    &["linux.resources.cpu.burst"],
    Member { at: BURST_AT, knobs: &[BURST], is: number }
);

const BURST_FAULTS: &[Fault] = &[Fault::Drop(BURST_AT), Fault::Take(BURST_AT, "9999")];

pub(super) const BURSTS: &[Case] = cases! { &BURST_RULE, &[Need::Knob(BURST)];
    "below-the-quota", [QUOTA_AT => 50_000, BURST_AT => 12_345],
        &[Fault::Drop(BURST_AT), Fault::Value(BURST_AT, ValueFault::OffByOne)];
    "as-much-as-the-quota", [QUOTA_AT => 50_000, BURST_AT => 50_000], BURST_FAULTS;
    "with-a-period", [QUOTA_AT => 20_000, PERIOD_AT => 40_000, BURST_AT => 7000], BURST_FAULTS;
    "zero", [QUOTA_AT => 50_000, BURST_AT => 0], &[Fault::Take(BURST_AT, "9999")];
};

rule!(
    IDLE_RULE,
    "resources.cpu.idle",
    &["linux.resources.cpu.idle"],
    Member { at: IDLE_AT, knobs: &[IDLE], is: number }
);

pub(super) const IDLES: &[Case] = cases! { &IDLE_RULE, &[Need::Knob(IDLE)];
    "one", [IDLE_AT => 1], &[Fault::Drop(IDLE_AT), Fault::Take(IDLE_AT, "0"), Fault::Beside];
    "zero", [IDLE_AT => 0], &[Fault::Take(IDLE_AT, "1")];
};

/// The numbers of a list such as `0-1,3`, which the kernel writes in its own way.
pub(crate) fn list(text: &str) -> Vec<u32> {
    let number = |text: &str| text.trim().parse::<u32>().ok();
    let part = |part: &str| match part.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)).map(|(first, last)| (first..=last).collect()),
        None => number(part).map(|only| vec![only]),
    };
    let mut numbers: Vec<u32> = text.split(',').filter_map(part).flatten().collect();
    numbers.sort_unstable();
    numbers
}

fn same_list(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    list(wanted.as_str().unwrap_or_default()) == list(&held.text)
}

rule!(
    CPUS_RULE,
    "resources.cpu.cpus",
    &["linux.resources.cpu.cpus", "linux.resources.cpu.list-format"],
    Member { at: CPUS_AT, knobs: &[CPUS], is: same_list }
);

pub(super) const PROCESSORS: &[Case] = cases! { &CPUS_RULE, &[Need::Knob(CPUS), Need::Processors(2)];
    "first", [CPUS_AT => "0"], &[Fault::Drop(CPUS_AT), Fault::Take(CPUS_AT, "\"1\""), Fault::Beside];
    "second", [CPUS_AT => "1"], &[Fault::Drop(CPUS_AT), Fault::Take(CPUS_AT, "\"0\"")];
    "range", [CPUS_AT => "0-1"], &[Fault::Take(CPUS_AT, "\"0\"")];
    "enumeration", [CPUS_AT => "0,1"], &[Fault::Take(CPUS_AT, "\"0\"")];
    "both-ways", [CPUS_AT => "0-0,1"], &[Fault::Take(CPUS_AT, "\"0\"")];
};

rule!(
    MEMS_RULE,
    "resources.cpu.mems",
    &["linux.resources.cpu.mems", "linux.resources.cpu.list-format"],
    Member { at: MEMS_AT, knobs: &[MEMS], is: same_list }
);

/// With one node there is nothing else to be taken but a node that is not there, which the kernel refuses.
pub(super) const NODES: &[Case] = cases! { &MEMS_RULE, &[Need::Knob(MEMS)];
    "first", [MEMS_AT => "0"], &[Fault::Take(MEMS_AT, "\"4095\""), Fault::MoveOut];
    "range", [MEMS_AT => "0-0"], &[Fault::Take(MEMS_AT, "\"4095\"")];
};
