//! Linux-specific configuration (`config-linux.md`).

mod cgroups_path;
mod default_devices;
mod default_filesystems;
mod device_conflicts;
mod devices;
mod hidden_paths;
mod host_nodes;
mod hostile_rootfs;
mod intel_rdt;
mod memory_policy;
mod mount_label;
mod net_devices;
mod no_pivot;
mod optional;
mod personality;
mod propagation;
mod read_only_paths;
mod sysctl;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[
    default_devices::CASES,
    default_devices::FULL_CASES,
    default_devices::NULL_CASES,
    default_devices::RANDOM_CASES,
    default_devices::TTY_CASES,
    default_devices::URANDOM_CASES,
    default_devices::ZERO_CASES,
    default_filesystems::CASES,
    devices::CASES,
    devices::ELSEWHERE,
    devices::IN_A_USER_NAMESPACE,
    devices::MODES,
    hidden_paths::CASES,
    hostile_rootfs::CASES,
    optional::EMPTY,
    memory_policy::CASES,
    personality::CASES,
    propagation::CASES,
    read_only_paths::CASES,
    sysctl::CASES,
];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    cgroups_path::PATHS,
    cgroups_path::SCENARIOS,
    default_devices::SCENARIOS,
    devices::IN_A_JOINED_USER_NAMESPACE,
    host_nodes::SCENARIOS,
    device_conflicts::CONFLICTS,
    device_conflicts::INCOMPLETE,
    device_conflicts::INVALID,
    device_conflicts::SCENARIOS,
    hidden_paths::SCENARIOS,
    hostile_rootfs::SCENARIOS,
    hostile_rootfs::UNTOUCHED,
    intel_rdt::SCENARIOS,
    memory_policy::DEFAULT,
    memory_policy::REFUSED,
    mount_label::SCENARIOS,
    net_devices::CLASH,
    net_devices::KEPT,
    net_devices::MOVED,
    net_devices::NOT_CARRIED,
    net_devices::NOT_MOVED,
    no_pivot::SCENARIOS,
    optional::SCENARIOS,
    personality::INVALID,
    propagation::SCENARIOS,
    read_only_paths::SCENARIOS,
    sysctl::INVALID,
    sysctl::OF_THE_HOST,
    sysctl::SCENARIOS,
];
