//! Processors and memory nodes. They are read here: cgroups-rs gives ranges, and cannot hold the level of -1 that a
//! cpuset of version 1 has by default.

use serde::Serialize;

use crate::cgroup::group::Group;

/// Where the container's tasks run and its memory is. All but the two lists is of version 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CpuSet {
    /// Processors.
    pub cpus: Vec<u32>,
    /// Whether no other cgroup beside it has these processors: 0 or 1.
    pub cpu_exclusive: i64,
    /// Memory nodes.
    pub mems: Vec<u32>,
    /// Whether the kernel's memory for users is kept to the nodes: 0 or 1.
    pub mem_hardwall: i64,
    /// Whether no other cgroup beside it has these nodes: 0 or 1.
    pub mem_exclusive: i64,
    /// Whether memory moves when the nodes change: 0 or 1.
    pub memory_migrate: i64,
    /// Whether the page cache is spread over the nodes: 0 or 1.
    pub memory_spread_page: i64,
    /// Whether the kernel's caches are spread over the nodes: 0 or 1.
    pub memory_spread_slab: i64,
    /// How often memory had to be reclaimed lately.
    pub memory_pressure: i64,
    /// Whether load is balanced between the processors: 0 or 1.
    pub sched_load_balance: i64,
    /// How far load is balanced, -1 for the system's default.
    pub sched_relax_domain_level: i64,
}

pub(super) fn v1(group: &Group) -> CpuSet {
    let number = |name: &str| {
        let text = group.read_if_there(&format!("cpuset.{name}"));
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    CpuSet {
        cpus: list(group.read_if_there("cpuset.cpus")),
        cpu_exclusive: number("cpu_exclusive"),
        mems: list(group.read_if_there("cpuset.mems")),
        mem_hardwall: number("mem_hardwall"),
        mem_exclusive: number("mem_exclusive"),
        memory_migrate: number("memory_migrate"),
        memory_spread_page: number("memory_spread_page"),
        memory_spread_slab: number("memory_spread_slab"),
        memory_pressure: number("memory_pressure"),
        sched_load_balance: number("sched_load_balance"),
        sched_relax_domain_level: number("sched_relax_domain_level"),
    }
}

pub(super) fn v2(group: &Group) -> CpuSet {
    CpuSet {
        cpus: list(group.read_if_there("cpuset.cpus.effective")),
        mems: list(group.read_if_there("cpuset.mems.effective")),
        ..CpuSet::default()
    }
}

/// The numbers of a list such as `0-3,7`.
fn list(text: Option<String>) -> Vec<u32> {
    let text = text.unwrap_or_default();
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    text.split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn a_list_is_numbers_and_ranges() {
        assert_eq!(list(Some("0-3,7".into())), [0, 1, 2, 3, 7]);
        assert_eq!(list(Some(String::new())), Vec::<u32>::new());
    }
}
