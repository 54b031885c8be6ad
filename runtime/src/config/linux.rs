//! `linux`: what only Linux has. Specification: `config-linux.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Resources, Seccomp};

/// The `linux` object.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Linux {
    /// Namespaces that the container does not share with the runtime.
    pub namespaces: Vec<Namespace>,
    /// User ids of a new user namespace.
    pub uid_mappings: Vec<IdMapping>,
    /// Group ids of a new user namespace.
    pub gid_mappings: Vec<IdMapping>,
    /// Offsets of the clocks of a new time namespace, by `monotonic` and `boottime`.
    pub time_offsets: BTreeMap<String, ClockOffset>,
    /// Devices beside the default ones.
    pub devices: Vec<Device>,
    /// Network devices to move into the container, by their names on the host.
    pub net_devices: BTreeMap<String, NetDevice>,
    /// Where the container is in the cgroup hierarchy; absent lets the runtime choose.
    pub cgroups_path: Option<String>,
    /// Limits of the cgroup.
    #[serde(deserialize_with = "super::object::object")]
    pub resources: Resources,
    /// System calls that the program may not make.
    pub seccomp: Option<Seccomp>,
    /// Cache and memory bandwidth.
    pub intel_rdt: Option<IntelRdt>,
    /// NUMA memory policy of the program.
    pub memory_policy: Option<MemoryPolicy>,
    /// Kernel parameters, by their dotted names.
    pub sysctl: BTreeMap<String, String>,
    /// Propagation of the mount at `/`.
    pub rootfs_propagation: Option<Propagation>,
    /// Paths whose content nobody can read.
    pub masked_paths: Vec<PathBuf>,
    /// Paths that nobody can write.
    pub readonly_paths: Vec<PathBuf>,
    /// SELinux label of the container's mounts.
    pub mount_label: String,
    /// Execution domain.
    pub personality: Option<Personality>,
}

impl Linux {
    /// The entry for `kind`, when the container does not share that namespace with the runtime.
    pub fn namespace(&self, kind: NamespaceKind) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.kind == kind)
    }

    /// Whether a fresh namespace of `kind` is made.
    pub fn makes(&self, kind: NamespaceKind) -> bool {
        self.namespace(kind).is_some_and(|namespace| namespace.path.is_none())
    }

    /// The user of the host that `uid` is in the container; nothing when it is none.
    pub fn host_uid(&self, uid: u32) -> Option<u32> {
        outside(&self.uid_mappings, uid)
    }

    /// The group of the host that `gid` is in the container; nothing when it is none.
    pub fn host_gid(&self, gid: u32) -> Option<u32> {
        outside(&self.gid_mappings, gid)
    }

    /// Whether there is a user namespace apart from the runtime's, new or joined.
    pub fn has_user_namespace(&self) -> bool {
        self.namespace(NamespaceKind::User).is_some()
    }
}

/// The id outside that `id` is mapped to; without maps they are the same.
fn outside(maps: &[IdMapping], id: u32) -> Option<u32> {
    if maps.is_empty() {
        return Some(id);
    }
    let map = maps.iter().find(|map| id.checked_sub(map.container_id).is_some_and(|offset| offset < map.size))?;
    Some(id - map.container_id + map.host_id)
}

/// The eight kinds of namespaces, by the names of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceKind {
    /// User and group ids.
    User,
    /// The cgroup root that is seen.
    Cgroup,
    /// System V IPC and POSIX queues.
    Ipc,
    /// Host and domain name.
    Uts,
    /// Network stack.
    Network,
    /// Monotonic and boot clocks.
    Time,
    /// Process ids.
    Pid,
    /// Mount table.
    Mount,
}

impl NamespaceKind {
    /// All kinds, in the order in which they are joined: user first for its rights, mount last for the paths.
    pub const ALL: [Self; 8] =
        [Self::User, Self::Cgroup, Self::Ipc, Self::Uts, Self::Network, Self::Time, Self::Pid, Self::Mount];

    /// The name in `config.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Cgroup => "cgroup",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::Network => "network",
            Self::Time => "time",
            Self::Pid => "pid",
            Self::Mount => "mount",
        }
    }

    /// The name of the link in `/proc/<pid>/ns/`.
    pub fn proc_name(self) -> &'static str {
        match self {
            Self::Network => "net",
            Self::Mount => "mnt",
            Self::User | Self::Cgroup | Self::Ipc | Self::Uts | Self::Time | Self::Pid => self.name(),
        }
    }

    /// The `CLONE_NEW…` flag.
    pub fn clone_flag(self) -> u64 {
        let flag = match self {
            Self::User => libc::CLONE_NEWUSER,
            Self::Cgroup => libc::CLONE_NEWCGROUP,
            Self::Ipc => libc::CLONE_NEWIPC,
            Self::Uts => libc::CLONE_NEWUTS,
            Self::Network => libc::CLONE_NEWNET,
            Self::Time => libc::CLONE_NEWTIME,
            Self::Pid => libc::CLONE_NEWPID,
            Self::Mount => libc::CLONE_NEWNS,
        };
        u64::from(flag.unsigned_abs())
    }
}

/// One entry of `namespaces`.
#[derive(Debug, Clone, Deserialize)]
pub struct Namespace {
    /// Which kind.
    #[serde(rename = "type")]
    pub kind: NamespaceKind,
    /// The namespace to join; absent makes a new one.
    pub path: Option<PathBuf>,
}

/// A range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdMapping {
    /// First id inside.
    #[serde(rename = "containerID")]
    pub container_id: u32,
    /// First id outside.
    #[serde(rename = "hostID")]
    pub host_id: u32,
    /// How many.
    pub size: u32,
}

/// How far a clock of the time namespace is ahead of the host's.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub struct ClockOffset {
    /// Whole seconds.
    pub secs: i64,
    /// Nanoseconds on top, below 10⁹.
    pub nanosecs: u32,
}

/// One entry of `devices`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Which kind of node.
    #[serde(rename = "type")]
    pub kind: DeviceKind,
    /// Where, in the container.
    pub path: PathBuf,
    /// Major number; needed by all but fifos.
    pub major: Option<u32>,
    /// Minor number; needed by all but fifos.
    pub minor: Option<u32>,
    /// Permission bits (a decimal number in JSON).
    pub file_mode: Option<u32>,
    /// Owner, in the container.
    pub uid: Option<u32>,
    /// Group, in the container.
    pub gid: Option<u32>,
}

/// `type` of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum DeviceKind {
    /// Block.
    #[serde(rename = "b")]
    Block,
    /// Character.
    #[serde(rename = "c")]
    Character,
    /// Unbuffered character, which Linux does not tell from a character device.
    #[serde(rename = "u")]
    Unbuffered,
    /// Fifo.
    #[serde(rename = "p")]
    Fifo,
}

/// What becomes of a network device inside.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NetDevice {
    /// Its name inside; one that ends in `%d` lets the kernel choose a number.
    pub name: Option<String>,
}

/// `intelRdt`. Kernel documentation: `arch/x86/resctrl.rst`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IntelRdt {
    /// Class of service; absent means one of the container's own, `/` the default one.
    #[serde(rename = "closID")]
    pub clos_id: Option<String>,
    /// Lines for the file `schemata`, written after the two below.
    pub schemata: Vec<String>,
    /// Lines of the L3 cache.
    pub l3_cache_schema: Option<String>,
    /// Lines of the memory bandwidth.
    pub mem_bw_schema: Option<String>,
    /// Whether the container gets a monitoring group.
    pub enable_monitoring: bool,
}

/// `memoryPolicy`: the arguments of set_mempolicy(2).
#[derive(Debug, Clone, Deserialize)]
pub struct MemoryPolicy {
    /// `MPOL_…` mode.
    pub mode: String,
    /// List of memory nodes such as `0-3,7`.
    #[serde(default)]
    pub nodes: String,
    /// `MPOL_F_…` names.
    #[serde(default)]
    pub flags: Vec<String>,
}

/// `rootfsPropagation`: mount_namespaces(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Propagation {
    /// In both directions between peers.
    #[serde(alias = "rshared")]
    Shared,
    /// From the host only.
    #[serde(alias = "rslave")]
    Slave,
    /// In no direction.
    #[serde(alias = "rprivate")]
    Private,
    /// In no direction, and no source of bind mounts.
    #[serde(alias = "runbindable")]
    Unbindable,
}

/// `personality`: personality(2).
#[derive(Debug, Clone, Deserialize)]
pub struct Personality {
    /// Execution domain.
    pub domain: PersonalityDomain,
    /// Reserved: no flag is valid yet.
    #[serde(default)]
    pub flags: Vec<String>,
}

/// `domain` of `personality`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum PersonalityDomain {
    /// The ordinary one.
    #[serde(rename = "LINUX")]
    Linux,
    /// uname(2) reports a 32-bit machine.
    #[serde(rename = "LINUX32")]
    Linux32,
}
