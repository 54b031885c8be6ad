//! `linux.resources`: the limits of the container's cgroup. Specification: `config-linux.md#cgroups`.
//!
//! A member that is absent leaves the cgroup as it is; so every value is an `Option` and no default is filled in.

mod validate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The `linux.resources` object, also the document that `update --resources` reads.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resources {
    /// Which devices may be used; the order of the rules counts.
    pub devices: Vec<DeviceRule>,
    /// Memory controller.
    pub memory: Option<Memory>,
    /// Cpu and cpuset controllers.
    pub cpu: Option<Cpu>,
    /// Block device controller (`blkio` in version 1, `io` in version 2).
    #[serde(rename = "blockIO")]
    pub block_io: Option<BlockIo>,
    /// Limits of huge pages, one for each page size.
    pub hugepage_limits: Vec<HugepageLimit>,
    /// Controllers `net_cls` and `net_prio`, which version 2 does not have.
    pub network: Option<Network>,
    /// Number of tasks.
    pub pids: Option<Pids>,
    /// RDMA limits, by the name of the device.
    pub rdma: BTreeMap<String, Rdma>,
    /// Files of cgroup version 2 and what is written to them.
    pub unified: BTreeMap<String, String>,
}

impl Resources {
    /// Callers hand on 0 for what was not given, and no container survives a limit of nothing.
    pub fn unset_no_memory(&mut self) {
        let Some(memory) = &mut self.memory else { return };
        for limit in [&mut memory.limit, &mut memory.reservation, &mut memory.swap] {
            limit.take_if(|bytes| *bytes == 0);
        }
    }

    /// Until release 1.3.0 of the specification a limit of 0 processes meant that there is none, and engines still write it
    /// for that.
    pub(super) fn take_no_pids_for_unlimited(&mut self) {
        if let Some(Pids { limit: limit @ Some(0) }) = &mut self.pids {
            *limit = Some(-1);
        }
    }
}

/// Which kind of device node a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum DeviceClass {
    /// Block and character devices.
    #[default]
    #[serde(rename = "a")]
    All,
    /// Block devices.
    #[serde(rename = "b")]
    Block,
    /// Character devices.
    #[serde(rename = "c")]
    Character,
}

/// One entry of `devices`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DeviceRule {
    /// Whether what matches is allowed or denied.
    pub allow: bool,
    /// The kind of node.
    #[serde(rename = "type", default)]
    pub class: DeviceClass,
    /// Major number; absent or -1 matches every one.
    pub major: Option<i64>,
    /// Minor number; absent or -1 matches every one.
    pub minor: Option<i64>,
    /// Letters of `rwm` (read, write, mknod); absent means all three.
    pub access: Option<String>,
}

/// `memory`: bytes, or -1 for no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Memory {
    /// Hard limit in bytes.
    pub limit: Option<i64>,
    /// Soft limit in bytes.
    pub reservation: Option<i64>,
    /// Limit of memory and swap together, in bytes.
    pub swap: Option<i64>,
    /// Limit of kernel memory in bytes; version 1 of old kernels only.
    pub kernel: Option<i64>,
    /// Limit of TCP buffers in bytes; version 1 only.
    #[serde(rename = "kernelTCP")]
    pub kernel_tcp: Option<i64>,
    /// Tendency to swap, 0 to 100; version 1 only.
    pub swappiness: Option<u64>,
    /// Whether tasks wait instead of being killed when memory runs out; version 1 only.
    #[serde(rename = "disableOOMKiller")]
    pub disable_oom_killer: Option<bool>,
    /// Whether child cgroups count; newer kernels always do so.
    pub use_hierarchy: Option<bool>,
    /// Whether a limit below the present usage is refused.
    pub check_before_update: Option<bool>,
}

/// `cpu`. In shares, quota, period and the real-time members 0 is taken as absent: no kernel has such a value, and
/// callers write it for "not set".
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cpu {
    /// Relative weight, 2 to 262144.
    pub shares: Option<u64>,
    /// Run time in microseconds for each period; negative for no limit.
    pub quota: Option<i64>,
    /// Microseconds of run time that can be saved up.
    pub burst: Option<u64>,
    /// Length of a period in microseconds.
    pub period: Option<u64>,
    /// Real-time run time in microseconds for each real-time period; version 1 only.
    pub realtime_runtime: Option<i64>,
    /// Length of a real-time period in microseconds; version 1 only.
    pub realtime_period: Option<u64>,
    /// Processors, such as `0-3,7`.
    pub cpus: Option<String>,
    /// Memory nodes, such as `0-1`.
    pub mems: Option<String>,
    /// 1 for SCHED_IDLE, 0 for the ordinary policy.
    pub idle: Option<i64>,
}

/// `blockIO`. A weight of 0 is taken as absent: no kernel has such a value, and callers write it for "not set".
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlockIo {
    /// Weight for all devices, 10 to 1000.
    pub weight: Option<u16>,
    /// Weight against child cgroups, 10 to 1000; version 1 of old kernels only.
    pub leaf_weight: Option<u16>,
    /// Weights of single devices.
    pub weight_device: Vec<WeightDevice>,
    /// Bytes read per second.
    pub throttle_read_bps_device: Vec<Throttle>,
    /// Bytes written per second.
    pub throttle_write_bps_device: Vec<Throttle>,
    /// Read operations per second.
    #[serde(rename = "throttleReadIOPSDevice")]
    pub throttle_read_iops_device: Vec<Throttle>,
    /// Write operations per second.
    #[serde(rename = "throttleWriteIOPSDevice")]
    pub throttle_write_iops_device: Vec<Throttle>,
}

/// One entry of `weightDevice`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightDevice {
    /// Major number of the device.
    pub major: u32,
    /// Minor number of the device.
    pub minor: u32,
    /// Weight, 10 to 1000.
    pub weight: Option<u16>,
    /// Weight against child cgroups, 10 to 1000; version 1 of old kernels only.
    pub leaf_weight: Option<u16>,
}

/// One entry of the `throttle…Device` lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Throttle {
    /// Major number of the device.
    pub major: u32,
    /// Minor number of the device.
    pub minor: u32,
    /// Bytes or operations per second.
    pub rate: u64,
}

/// One entry of `hugepageLimits`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HugepageLimit {
    /// Page size in the kernel's spelling, such as `2MB`.
    pub page_size: String,
    /// Limit in bytes.
    pub limit: u64,
}

/// `network`; version 1 only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Class identifier that packets are tagged with.
    #[serde(rename = "classID")]
    pub class_id: Option<u32>,
    /// Priorities of traffic, by interface.
    pub priorities: Vec<InterfacePriority>,
}

/// One entry of `priorities`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InterfacePriority {
    /// Interface, in the runtime's network namespace.
    pub name: String,
    /// Priority of what leaves through it.
    pub priority: u32,
}

/// `pids`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Pids {
    /// The highest number of tasks: -1 for no limit; 0 is a limit like any other.
    pub limit: Option<i64>,
}

/// Limits of one RDMA device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rdma {
    /// How many handles can be opened.
    pub hca_handles: Option<u32>,
    /// How many objects can be made.
    pub hca_objects: Option<u32>,
}
