//! Statistics of version 1, read through cgroups-rs where it has a controller for them.

use std::path::PathBuf;

use cgroups_rs::fs::cpuacct::CpuAcctController;
use cgroups_rs::fs::hugetlb::HugeTlbController;
use cgroups_rs::fs::memory::MemController;

use super::{Counter, Hugepages, Stats, blkio, cpuset, flat, number};
use crate::cgroup::group::Group;
use crate::cgroup::tree::Tree;

/// Fills in what version 1 has.
pub(super) fn read(tree: &Tree, stats: &mut Stats) {
    if let Some(group) = tree.legacy("cpuacct") {
        cpu_time(group, stats);
    }
    if let Some(group) = tree.legacy("cpu") {
        let counters = flat(&group.read_if_there("cpu.stat").unwrap_or_default());
        let of = |key: &str| counters.get(key).copied().unwrap_or(0);
        stats.cpu.throttling.periods = of("nr_periods");
        stats.cpu.throttling.throttled_periods = of("nr_throttled");
        stats.cpu.throttling.throttled_time = of("throttled_time");
    }
    if let Some(group) = tree.legacy("cpuset") {
        stats.cpuset = cpuset::v1(group);
    }
    if let Some(group) = tree.legacy("memory") {
        memory(group, stats);
    }
    if let Some(group) = tree.legacy("pids") {
        stats.pids.current = number(group.read_if_there("pids.current"));
        stats.pids.limit = group.read_if_there("pids.max").and_then(|text| text.parse().ok()).unwrap_or(0);
    }
    if let Some(group) = tree.legacy("blkio") {
        stats.blkio = blkio::v1(group);
    }
    if let Some(group) = tree.legacy("hugetlb") {
        hugepages(group, stats);
    }
}

/// cgroups-rs wants the root of the hierarchy beside the cgroup, only to keep paths below it.
fn paths(group: &Group) -> (PathBuf, PathBuf) {
    (group.dir.clone(), group.dir.clone())
}

fn cpu_time(group: &Group, stats: &mut Stats) {
    let (dir, root) = paths(group);
    let account = CpuAcctController::new(dir, root).cpuacct();
    let usage = &mut stats.cpu.usage;
    usage.total = account.usage;
    usage.user = account.usage_user;
    usage.kernel = account.usage_sys;
    let times = |text: &str| text.split_whitespace().filter_map(|time| time.parse().ok()).collect();
    usage.percpu = times(&account.usage_percpu);
    usage.percpu_kernel = times(&account.usage_percpu_sys);
    usage.percpu_user = times(&account.usage_percpu_user);
}

fn memory(group: &Group, stats: &mut Stats) {
    let (dir, root) = paths(group);
    let controller = MemController::new(dir, root, false);
    let (all, swap) = (controller.memory_stat(), controller.memswap());
    let (kernel, tcp) = (controller.kmem_stat(), controller.kmem_tcp_stat());
    let memory = &mut stats.memory;
    memory.cache = all.stat.cache;
    memory.usage = counter(all.limit_in_bytes, all.usage_in_bytes, all.max_usage_in_bytes, all.fail_cnt);
    memory.swap = counter(swap.limit_in_bytes, swap.usage_in_bytes, swap.max_usage_in_bytes, swap.fail_cnt);
    memory.kernel = counter(kernel.limit_in_bytes, kernel.usage_in_bytes, kernel.max_usage_in_bytes, kernel.fail_cnt);
    memory.kernel_tcp = counter(tcp.limit_in_bytes, tcp.usage_in_bytes, tcp.max_usage_in_bytes, tcp.fail_cnt);
    memory.raw = all.stat.raw.into_iter().collect();
}

fn counter(limit: i64, usage: u64, max: u64, failcnt: u64) -> Counter {
    Counter { limit: u64::try_from(limit).unwrap_or(u64::MAX), usage, max, failcnt }
}

fn hugepages(group: &Group, stats: &mut Stats) {
    let (dir, root) = paths(group);
    let controller = HugeTlbController::new(dir, root, false);
    for size in controller.get_sizes() {
        let pages = Hugepages {
            usage: controller.usage_in_bytes(&size).unwrap_or(0),
            max: controller.max_usage_in_bytes(&size).unwrap_or(0),
            failcnt: controller.failcnt(&size).unwrap_or(0),
        };
        stats.hugetlb.insert(size, pages);
    }
}
