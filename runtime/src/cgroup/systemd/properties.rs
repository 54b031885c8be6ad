//! Limits and relations as properties of a unit: systemd.resource-control(5), systemd.scope(5).

use rustbus::dbus_variant_sig;
use rustix::process::Pid;

use crate::cgroup::host::Version;
use crate::cgroup::settings::weight_of_shares;
use crate::config::{Cpu, Memory, Resources};

type Numbers = Vec<u32>;
type Texts = Vec<String>;

dbus_variant_sig!(Value, Text => String; Flag => bool; Number => u64; Numbers => Numbers; Texts => Texts);

/// Name and value.
pub(super) type Property = (String, Value);

/// The number that systemd takes for no limit.
const NO_LIMIT: u64 = u64::MAX;

/// The period that the kernel starts with, in microseconds.
const DEFAULT_PERIOD: u64 = 100_000;

const MICROSECONDS: u64 = 1_000_000;

/// systemd keeps quotas in steps of 10 ms for each second.
const QUOTA_STEP: u64 = 10_000;

fn property(name: &str, value: Value) -> Property {
    (name.to_owned(), value)
}

/// What makes the unit a container's: where it belongs, that its inside is not systemd's, and the init process.
pub(super) fn of_unit(slice: &str, unit: &str, child: Pid, version: Version) -> Vec<Property> {
    let mut properties = vec![
        property("Description", Value::Text(format!("OCI container {unit}"))),
        property("DefaultDependencies", Value::Flag(false)),
        property("Delegate", Value::Flag(true)),
        property("MemoryAccounting", Value::Flag(true)),
        property("CPUAccounting", Value::Flag(true)),
        property("TasksAccounting", Value::Flag(true)),
    ];
    let io = if version == Version::V2 { "IOAccounting" } else { "BlockIOAccounting" };
    properties.push(property(io, Value::Flag(true)));
    // A slice belongs to another by its name, and holds no process of its own.
    if unit.ends_with(".slice") {
        properties.push(property("Wants", Value::Texts(vec![slice.to_owned()])));
    } else {
        properties.push(property("Slice", Value::Text(slice.to_owned())));
        properties.push(property("PIDs", Value::Numbers(vec![child.as_raw_nonzero().get().unsigned_abs()])));
        // Without it a container that was killed would stay in the list of failed units.
        properties.push(property("CollectMode", Value::Text("inactive-or-failed".to_owned())));
    }
    properties
}

/// The limits that systemd knows of; all others it leaves alone.
pub(super) fn of_limits(resources: &Resources, version: Version) -> Vec<Property> {
    let mut properties = Vec::new();
    if let Some(memory) = &resources.memory {
        memory_limits(memory, version, &mut properties);
    }
    if let Some(cpu) = &resources.cpu {
        cpu_limits(cpu, version, &mut properties);
    }
    if let Some(limit) = resources.pids.as_ref().and_then(|pids| pids.limit) {
        // systemd takes no 0. The kernel's file, which is written after it, does.
        let limit = u64::try_from(limit).map_or(NO_LIMIT, |limit| limit.max(1));
        properties.push(property("TasksMax", Value::Number(limit)));
    }
    properties
}

fn memory_limits(memory: &Memory, version: Version, properties: &mut Vec<Property>) {
    let bytes = |limit: i64| u64::try_from(limit).unwrap_or(NO_LIMIT);
    let mut add = |name: &str, limit: Option<i64>| {
        properties.extend(limit.map(|limit| property(name, Value::Number(bytes(limit)))));
    };
    match version {
        Version::V1 => add("MemoryLimit", memory.limit),
        Version::V2 => {
            add("MemoryMax", memory.limit);
            add("MemoryLow", memory.reservation);
            let limit = memory.limit.unwrap_or(0).max(0);
            add("MemorySwapMax", memory.swap.map(|both| if both < 0 { both } else { (both - limit).max(0) }));
        }
    }
}

fn cpu_limits(cpu: &Cpu, version: Version, properties: &mut Vec<Property>) {
    if let Some(shares) = cpu.shares.filter(|shares| *shares != 0) {
        properties.push(match version {
            Version::V1 => property("CPUShares", Value::Number(shares.clamp(2, 262_144))),
            Version::V2 => property("CPUWeight", Value::Number(weight_of_shares(shares))),
        });
    }
    let period = cpu.period.filter(|period| *period != 0);
    if let Some(period) = period {
        properties.push(property("CPUQuotaPeriodUSec", Value::Number(period)));
    }
    if let Some(quota) = cpu.quota.filter(|quota| *quota != 0) {
        let second = |quota: u64| quota.saturating_mul(MICROSECONDS) / period.unwrap_or(DEFAULT_PERIOD);
        let quota = u64::try_from(quota).map_or(NO_LIMIT, |quota| second(quota).next_multiple_of(QUOTA_STEP));
        properties.push(property("CPUQuotaPerSecUSec", Value::Number(quota)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(json: &str, version: Version) -> Vec<(String, u64)> {
        let properties = of_limits(&serde_json::from_str(json).unwrap(), version).into_iter();
        let number = |(name, value)| if let Value::Number(number) = value { Some((name, number)) } else { None };
        properties.filter_map(number).collect()
    }

    #[test]
    fn limits_have_the_names_of_their_version() {
        let json = r#"{"memory":{"limit":100,"swap":150,"reservation":50},"cpu":{"shares":1024},"pids":{"limit":0}}"#;
        let named = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
        let v1 = [("MemoryLimit", 100), ("CPUShares", 1024), ("TasksMax", 1)];
        assert_eq!(numbers(json, Version::V1), named(&v1));
        let v2 = [("MemoryMax", 100), ("MemoryLow", 50), ("MemorySwapMax", 50), ("CPUWeight", 100), ("TasksMax", 1)];
        assert_eq!(numbers(json, Version::V2), named(&v2));
    }

    #[test]
    fn a_quota_is_for_each_second_and_in_steps() {
        let quota = |json: &str| numbers(json, Version::V2).pop().unwrap().1;
        assert_eq!(quota(r#"{"cpu":{"quota":50000}}"#), 500_000);
        assert_eq!(quota(r#"{"cpu":{"quota":1234,"period":10000}}"#), 130_000);
        assert_eq!(quota(r#"{"cpu":{"quota":-1}}"#), u64::MAX);
    }
}
