//! `linux.resources.cpu`.

use super::convert::weight_of_shares;
use super::{Read, Setting, no_counterpart};
use crate::config::{Cpu, Resources};
use crate::error::Result;

/// The period that the kernel starts with, in microseconds.
const DEFAULT_PERIOD: &str = "100000";

/// `cpus` and `mems`: the same files in both versions.
pub(super) fn set(resources: &Resources, _: Read<'_>) -> Result<Vec<Setting>> {
    let Some(cpu) = &resources.cpu else { return Ok(Vec::new()) };
    let lists = [("cpuset.cpus", &cpu.cpus), ("cpuset.mems", &cpu.mems)];
    let given =
        lists.into_iter().filter_map(|(file, list)| Some((file, list.as_ref().filter(|list| !list.is_empty())?)));
    Ok(given.map(|(file, list)| (file.to_owned(), list.clone())).collect())
}

pub(super) fn v1(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    let Some(cpu) = &resources.cpu else { return Ok(Vec::new()) };
    let mut wanted = List::default();
    wanted.add_if("cpu.rt_period_us", cpu.realtime_period.filter(|period| *period != 0));
    wanted.add_if("cpu.rt_runtime_us", cpu.realtime_runtime.filter(|runtime| *runtime != 0));
    wanted.weight("cpu.shares", cpu, cpu.shares.filter(|shares| *shares != 0));
    let period = cpu.period.filter(|period| *period != 0);
    let quota = cpu.quota.filter(|quota| *quota != 0);
    wanted.bandwidth(cpu, "cpu.cfs_burst_us", |list| {
        // The kernel refuses a period that an enclosing cgroup's quota does not allow together with the old quota.
        let shrinks = number(read("cpu.cfs_period_us")).zip(period).is_some_and(|(old, new)| new < old);
        let mut pair =
            [("cpu.cfs_period_us", period.map(|us| us.to_string())), ("cpu.cfs_quota_us", quota.map(bandwidth))];
        if shrinks && quota.is_some() {
            pair.reverse();
        }
        pair.into_iter().for_each(|(file, value)| list.add_if(file, value));
    });
    Ok(wanted.0)
}

pub(super) fn v2(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    let Some(cpu) = &resources.cpu else { return Ok(Vec::new()) };
    if cpu.realtime_runtime.is_some_and(|runtime| runtime != 0) {
        return Err(no_counterpart("cpu.realtimeRuntime"));
    }
    if cpu.realtime_period.is_some_and(|period| period != 0) {
        return Err(no_counterpart("cpu.realtimePeriod"));
    }
    let mut wanted = List::default();
    wanted.weight("cpu.weight", cpu, cpu.shares.filter(|shares| *shares != 0).map(weight_of_shares));
    wanted.bandwidth(cpu, "cpu.max.burst", |list| list.add_if("cpu.max", maximum(cpu, read)));
    Ok(wanted.0)
}

/// The value of `cpu.max`, whose two numbers are only written together: what is not given stays as it is.
fn maximum(cpu: &Cpu, read: Read<'_>) -> Option<String> {
    let quota =
        cpu.quota.filter(|quota| *quota != 0).map(|quota| if quota < 0 { "max".into() } else { quota.to_string() });
    let period = cpu.period.filter(|period| *period != 0).map(|period| period.to_string());
    if quota.is_none() && period.is_none() {
        return None;
    }
    let current = read("cpu.max").unwrap_or_default();
    let (old_quota, old_period) = current.split_once(' ').unwrap_or(("max", DEFAULT_PERIOD));
    Some(format!("{} {}", quota.as_deref().unwrap_or(old_quota), period.as_deref().unwrap_or(old_period)))
}

/// No limit is -1 on version 1, whatever negative number was given.
fn bandwidth(quota: i64) -> String {
    quota.max(-1).to_string()
}

fn number(text: Option<String>) -> Option<u64> {
    text?.parse().ok()
}

/// The settings, in the order in which they are written.
#[derive(Default)]
struct List(Vec<Setting>);

impl List {
    fn add_if(&mut self, file: &str, value: Option<impl ToString>) {
        self.0.extend(value.map(|value| (file.to_owned(), value.to_string())));
    }

    /// An idle cgroup takes no weight: it is written before the cgroup becomes idle, and after it ceases to be.
    fn weight(&mut self, file: &str, cpu: &Cpu, weight: Option<u64>) {
        let idle = cpu.idle.map(|idle| ("cpu.idle".to_owned(), idle.to_string()));
        let (before, after) = if cpu.idle == Some(0) { (idle, None) } else { (None, idle) };
        self.0.extend(before);
        self.add_if(file, weight);
        self.0.extend(after);
    }

    /// A burst must at no time be above the quota: the old one is taken back first.
    fn bandwidth(&mut self, cpu: &Cpu, burst_file: &str, rest: impl FnOnce(&mut Self)) {
        if cpu.burst.is_some() && cpu.quota.is_some() {
            self.add_if(burst_file, Some(0));
        }
        rest(self);
        self.add_if(burst_file, cpu.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(json: &str) -> Resources {
        serde_json::from_str(&format!(r#"{{"cpu":{json}}}"#)).unwrap()
    }

    fn told(settings: Result<Vec<Setting>>) -> Vec<String> {
        settings.unwrap().into_iter().map(|(file, value)| format!("{file}={value}")).collect()
    }

    #[test]
    fn absent_members_write_nothing() {
        let resources = cpu(r#"{"shares":0,"quota":0,"period":0,"realtimeRuntime":0,"cpus":""}"#);
        let nothing = |_: &str| None;
        assert_eq!(told(v1(&resources, &nothing)), Vec::<String>::new());
        assert_eq!(told(v2(&resources, &nothing)), Vec::<String>::new());
        assert_eq!(told(set(&resources, &nothing)), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_given_of_cpu_max_stays() {
        let current = |_: &str| Some("20000 50000".to_owned());
        for (json, value) in [
            (r#"{"quota":1000}"#, "1000 50000"),
            (r#"{"period":10000}"#, "20000 10000"),
            (r#"{"quota":-1}"#, "max 50000"),
        ] {
            assert_eq!(told(v2(&cpu(json), &current)), [format!("cpu.max={value}")], "{json}");
        }
    }

    #[test]
    fn order_avoids_states_that_the_kernel_refuses() {
        let old = |_: &str| Some("100000".to_owned());
        let resources = cpu(r#"{"quota":4000,"period":5000,"burst":1000,"shares":8,"idle":0}"#);
        let expected = [
            "cpu.idle=0",
            "cpu.shares=8",
            "cpu.cfs_burst_us=0",
            "cpu.cfs_quota_us=4000",
            "cpu.cfs_period_us=5000",
            "cpu.cfs_burst_us=1000",
        ];
        assert_eq!(told(v1(&resources, &old)), expected);
    }

    #[test]
    fn real_time_has_no_counterpart() {
        assert!(v2(&cpu(r#"{"realtimeRuntime":1}"#), &|_| None).is_err());
        assert!(v2(&cpu(r#"{"realtimePeriod":1}"#), &|_| None).is_err());
    }
}
