//! What a container uses, in the shape that `runc events --stats` prints and its readers expect.

mod blkio;
mod cpuset;
mod v1;
mod v2;

use std::collections::BTreeMap;

use serde::Serialize;

pub use cpuset::CpuSet;

use super::tree::Tree;

/// All statistics. Counters that a host does not have are 0 or left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Processor time.
    pub cpu: Cpu,
    /// Processors and memory nodes.
    pub cpuset: CpuSet,
    /// Memory.
    pub memory: Memory,
    /// Tasks.
    pub pids: Pids,
    /// Block devices.
    pub blkio: BlockIo,
    /// Huge pages, by page size.
    pub hugetlb: BTreeMap<String, Hugepages>,
}

/// Processor time, in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cpu {
    /// How much was used.
    pub usage: CpuUsage,
    /// How often the quota was used up.
    pub throttling: Throttling,
}

/// Used processor time, in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CpuUsage {
    /// In the kernel and outside of it.
    pub total: u64,
    /// For each processor; version 1 only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu: Vec<u64>,
    /// For each processor, in the kernel; version 1 only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu_kernel: Vec<u64>,
    /// For each processor, outside of the kernel; version 1 only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu_user: Vec<u64>,
    /// In the kernel.
    pub kernel: u64,
    /// Outside of the kernel.
    pub user: u64,
}

/// Effects of the quota.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttling {
    /// Periods that have passed.
    pub periods: u64,
    /// Periods in which the quota was used up.
    pub throttled_periods: u64,
    /// For how long tasks were held up, in nanoseconds.
    pub throttled_time: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Page cache.
    pub cache: u64,
    /// All memory that counts against the limit.
    pub usage: Counter,
    /// Memory and swap in version 1, swap in version 2.
    pub swap: Counter,
    /// Kernel memory; version 1 only.
    pub kernel: Counter,
    /// Buffers of TCP; version 1 only.
    #[serde(rename = "kernelTCP")]
    pub kernel_tcp: Counter,
    /// Every line of `memory.stat`.
    pub raw: BTreeMap<String, u64>,
}

/// A limited quantity, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counter {
    /// The limit; the highest number when there is none.
    pub limit: u64,
    /// In use.
    pub usage: u64,
    /// The most that was ever in use.
    pub max: u64,
    /// How often the limit was hit.
    pub failcnt: u64,
}

/// Number of tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pids {
    /// How many there are.
    pub current: u64,
    /// How many there can be; 0 when there is no limit.
    pub limit: u64,
}

/// Use of block devices, with what cgroups below did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockIo {
    /// Bytes moved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_service_bytes_recursive: Vec<BlockEntry>,
    /// Operations done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub io_serviced_recursive: Vec<BlockEntry>,
}

/// One counter of one device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BlockEntry {
    /// Major number of the device.
    pub major: u32,
    /// Minor number of the device.
    pub minor: u32,
    /// `Read`, `Write`, `Discard` and others of the kernel's words.
    pub op: String,
    /// Bytes or operations.
    pub value: u64,
}

/// Use of huge pages of one size, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hugepages {
    /// In use.
    pub usage: u64,
    /// The most that was ever in use; version 1 only.
    pub max: u64,
    /// How often the limit was hit.
    pub failcnt: u64,
}

/// Reads all statistics, each from the version that has its controller.
pub(super) fn read(tree: &Tree) -> Stats {
    let unified = tree.unified();
    let mut stats = unified.map(v2::read).unwrap_or_default();
    v1::read(tree, &mut stats);
    stats
}

/// The lines `key value` of a statistics file.
fn flat(text: &str) -> BTreeMap<String, u64> {
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.filter_map(|(key, value)| Some((key.to_owned(), value.parse().ok()?))).collect()
}

/// The number in a file; `max` is the highest.
fn number(text: Option<String>) -> u64 {
    text.map_or(0, |text| if text == "max" { u64::MAX } else { text.parse().unwrap_or(0) })
}
