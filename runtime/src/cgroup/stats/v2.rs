//! Statistics of version 2. They are read here: cgroups-rs expects the memory controller to be there and panics if not.

use std::fs;

use super::{Counter, Cpu, CpuUsage, Hugepages, Memory, Pids, Stats, Throttling, blkio, cpuset, flat, number};
use crate::cgroup::group::Group;

const NANOSECONDS: u64 = 1_000;

pub(super) fn read(group: &Group) -> Stats {
    Stats {
        cpu: cpu(group),
        cpuset: cpuset::v2(group),
        memory: memory(group),
        pids: pids(group),
        blkio: blkio::v2(group),
        hugetlb: page_sizes(group).into_iter().map(|size| (size.clone(), hugepages(group, &size))).collect(),
    }
}

/// `cpu.stat` counts in microseconds.
fn cpu(group: &Group) -> Cpu {
    let counters = flat(&group.read_if_there("cpu.stat").unwrap_or_default());
    let of = |key: &str| counters.get(key).copied().unwrap_or(0);
    let time = |key: &str| of(key) * NANOSECONDS;
    Cpu {
        usage: CpuUsage {
            total: time("usage_usec"),
            kernel: time("system_usec"),
            user: time("user_usec"),
            ..CpuUsage::default()
        },
        throttling: Throttling {
            periods: of("nr_periods"),
            throttled_periods: of("nr_throttled"),
            throttled_time: time("throttled_usec"),
        },
    }
}

fn memory(group: &Group) -> Memory {
    let file = |name: &str| group.read_if_there(name);
    let event = |name: &str, key: &str| flat(&file(name).unwrap_or_default()).get(key).copied().unwrap_or(0);
    let raw = flat(&file("memory.stat").unwrap_or_default());
    let counter = |prefix: &str, failcnt| Counter {
        limit: number(file(&format!("{prefix}.max"))),
        usage: number(file(&format!("{prefix}.current"))),
        max: number(file(&format!("{prefix}.peak"))),
        failcnt,
    };
    Memory {
        cache: raw.get("file").copied().unwrap_or(0),
        usage: counter("memory", event("memory.events", "max")),
        swap: counter("memory.swap", event("memory.swap.events", "fail")),
        raw,
        ..Memory::default()
    }
}

fn pids(group: &Group) -> Pids {
    let limit = group.read_if_there("pids.max").and_then(|text| text.parse().ok()).unwrap_or(0);
    Pids { current: number(group.read_if_there("pids.current")), limit }
}

fn page_sizes(group: &Group) -> Vec<String> {
    let files = fs::read_dir(&group.dir).into_iter().flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names
        .filter_map(|name| Some(name.strip_prefix("hugetlb.")?.strip_suffix(".current")?.to_owned()))
        .filter(|size| !size.contains('.'))
        .collect()
}

fn hugepages(group: &Group, size: &str) -> Hugepages {
    let events = flat(&group.read_if_there(&format!("hugetlb.{size}.events")).unwrap_or_default());
    Hugepages {
        usage: number(group.read_if_there(&format!("hugetlb.{size}.current"))),
        max: 0,
        failcnt: events.get("max").copied().unwrap_or(0),
    }
}
