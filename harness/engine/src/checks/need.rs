//! What a check needs, and whether this host and this runtime have it. What is missing is the reason of a skip.

use std::fs;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::{Pid, SysconfVar, sysconf};
use plimsoll_foreign::read;

use crate::runtime::profile::{Op, Profile};
use crate::system::cgroup::{self, Knob, Mode, NSDELEGATE, NewGroup};
use crate::system::observer::limits;

/// Something that must be there for a check to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Containers share the host's kernel, so that the host can see them.
    HostView,
    /// The runtime has this operation.
    Operation(Op),
    /// The runtime has this operation with this option, as named in its profile.
    Option(Op, &'static str),
    /// The kernel has this type of namespace, as named in `/proc/self/ns`.
    Namespace(&'static str),
    /// The kernel has this filesystem, as named in `/proc/filesystems`.
    Filesystem(&'static str),
    /// The harness has this capability.
    Capability(&'static str),
    /// The kernel is at least this old.
    Kernel(u32, u32),
    /// A cgroup controller, by its name, is there.
    Controller(&'static str),
    /// A new cgroup has this setting.
    Knob(Knob),
    /// Control groups are of version 2 alone.
    UnifiedAlone,
    /// Version 2 of control groups is mounted with `nsdelegate`.
    Nsdelegate,
    /// The machine has this many processors.
    Processors(usize),
    /// The harness may use every processor.
    AllProcessors,
    /// The host has a block device.
    BlockDevice,
    /// The host has a device for remote memory access.
    RdmaDevice,
    /// So many huge pages of 2 MiB are free, reserved by nobody.
    HugePages(u64),
    /// A file of the host is there.
    File(&'static str),
    /// The harness may give its children this limit: it is below its own hard limit, or it has `CAP_SYS_RESOURCE`.
    Limit(&'static str, u64),
    /// SELinux is active, and its policy has this label.
    SelinuxContext(&'static str),
    /// AppArmor is active, and has loaded this profile.
    ApparmorProfile(&'static str),
    /// A process in a new cgroup may be scheduled in real time.
    RealTime,
}

/// What this host and this runtime have.
#[derive(Clone, Debug)]
pub struct Abilities {
    /// Operations and whether the kernel is shared.
    pub profile: Profile,
    /// `uname -r`, as far as it is numbers.
    pub kernel: (u32, u32),
    /// Names in `/proc/filesystems`.
    pub filesystems: Vec<String>,
    /// Cgroup controllers that are mounted.
    pub controllers: Vec<String>,
    /// What the kernel shows of control groups.
    pub cgroups: Mode,
    /// The files that a new cgroup has.
    pub new_group: NewGroup,
    /// Whether new groups of the v1 controller `cpu` have no real-time budget (`CONFIG_RT_GROUP_SCHED`).
    pub groups_lack_real_time: bool,
    /// Capabilities that the harness lacks.
    pub missing_capabilities: Vec<String>,
}

fn own_hard_limit(name: &str) -> Option<u64> {
    let text = read::kernel("/proc/self/limits").ok()?;
    limits::parse(&text).ok()?.get(name).map(|limit| limit.hard)
}

fn has_profile(name: &str) -> bool {
    let loaded = read::kernel("/sys/kernel/security/apparmor/profiles").unwrap_or_default();
    loaded.lines().any(|line| line.split(' ').next() == Some(name))
}

fn may_use_all_processors() -> nix::Result<bool> {
    let own = sched_getaffinity(Pid::from_raw(0))?;
    let there = sysconf(SysconfVar::_NPROCESSORS_ONLN)?.and_then(|count| usize::try_from(count).ok());
    let usable = (0..CpuSet::count()).filter(|&number| own.is_set(number).unwrap_or(false)).count();
    Ok(there.is_none_or(|there| usable >= there))
}

/// The numbers of the block devices of the host, to be limited, and never to be written to. Those come first whose minor
/// number is another than 0, which is what a runtime may take an absent number for.
#[must_use]
pub fn block_devices() -> Vec<(u32, u32)> {
    let numbers_of = |device: std::path::PathBuf| -> Option<(u32, u32)> {
        let numbers = read::kernel(device.join("dev")).ok()?;
        let (major, minor) = numbers.trim().split_once(':')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let entries = fs::read_dir("/sys/block").into_iter().flatten();
    let mut devices: Vec<_> = entries.filter_map(|entry| numbers_of(entry.ok()?.path())).collect();
    devices.sort_by_key(|&(major, minor)| (minor == 0, major, minor));
    devices
}

/// How many huge pages of 2 MiB a program could have.
#[must_use]
pub fn free_huge_pages() -> u64 {
    let number = |file: &str| -> u64 {
        let text = read::kernel(format!("/sys/kernel/mm/hugepages/hugepages-2048kB/{file}")).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    };
    number("free_hugepages").saturating_sub(number("resv_hugepages"))
}

impl Need {
    /// Whether a virtual machine of ours has it, or may have it with another kernel: whatever is the host's and not the
    /// runtime's.
    #[must_use]
    pub fn is_of_host(&self) -> bool {
        !matches!(self, Self::HostView | Self::Operation(_) | Self::Option(..))
    }

    /// Why it is not met, and what would meet it.
    #[must_use]
    pub fn unmet(&self, have: &Abilities) -> Option<String> {
        let missing = |met: bool, why: String| if met { None } else { Some(why) };
        match *self {
            Self::HostView => missing(
                have.profile.shares_kernel,
                "containers of this runtime have their own kernel, so the host cannot observe them".to_owned(),
            ),
            Self::Operation(op) => missing(
                have.profile.operation.contains_key(&op),
                format!("profile `{}` has no operation `{op}` for this runtime", have.profile.name),
            ),
            Self::Option(op, name) => missing(
                have.profile.takes(op, name),
                format!("profile `{}` has no `{op}` with `[{name}: …]`", have.profile.name),
            ),
            Self::Namespace(kind) => missing(
                fs::exists(format!("/proc/self/ns/{kind}")).unwrap_or(false),
                format!("the kernel has no {kind} namespaces"),
            ),
            Self::Filesystem(name) => missing(
                have.filesystems.iter().any(|known| known == name),
                format!("the kernel has no {name} filesystem: load its module"),
            ),
            Self::Capability(name) => missing(
                !have.missing_capabilities.iter().any(|missing| missing == name),
                format!("the harness has no {name}: run it with all capabilities"),
            ),
            Self::Kernel(major, minor) => {
                missing(have.kernel >= (major, minor), format!("needs kernel {major}.{minor} or newer"))
            }
            Self::Limit(name, value) => missing(
                !have.missing_capabilities.iter().any(|missing| missing == "CAP_SYS_RESOURCE")
                    || own_hard_limit(name).is_some_and(|hard| hard >= value),
                format!("the hard limit {name} of the harness is below {value}: raise it, or add CAP_SYS_RESOURCE"),
            ),
            Self::SelinuxContext(label) => missing(
                fs::write("/sys/fs/selinux/context", label).is_ok(),
                format!("no SELinux policy with {label} is active: `plimsoll vm --lsm selinux` has one"),
            ),
            Self::ApparmorProfile(name) => missing(
                has_profile(name),
                format!("the AppArmor profile {name} is not loaded: `plimsoll vm --lsm apparmor` has it"),
            ),
            Self::File(path) => missing(fs::exists(path).unwrap_or(false), format!("{path} does not exist")),
            Self::Controller(_)
            | Self::Knob(_)
            | Self::UnifiedAlone
            | Self::Nsdelegate
            | Self::Processors(_)
            | Self::AllProcessors
            | Self::BlockDevice
            | Self::RdmaDevice
            | Self::HugePages(_)
            | Self::RealTime => self.unlimitable(have),
        }
    }

    /// As [`Need::unmet`], of what can be limited here.
    fn unlimitable(&self, have: &Abilities) -> Option<String> {
        let missing = |met: bool, why: String| if met { None } else { Some(why) };
        match *self {
            Self::Controller(name) => {
                let way = have.new_group.way_to_enable(name).unwrap_or_else(|| "mount or delegate it".to_owned());
                missing(
                    have.controllers.iter().any(|known| known == name),
                    format!("cgroup controller {name} is not available: {way}"),
                )
            }
            Self::Knob(knob) => have.new_group.lacks(&knob),
            Self::UnifiedAlone => missing(
                have.cgroups == Mode::V2,
                format!("cgroups are {} here, not v2 alone: `plimsoll vm --cgroup v2` has that", have.cgroups),
            ),
            Self::Nsdelegate => missing(
                cgroup::options().is_ok_and(|options| options.is_some_and(|all| all.iter().any(|o| o == NSDELEGATE))),
                "cgroup version 2 is not mounted with nsdelegate: `plimsoll vm --cgroup v2` does that, as systemd"
                    .to_owned(),
            ),
            Self::Processors(count) => missing(
                std::thread::available_parallelism().is_ok_and(|there| there.get() >= count),
                format!("needs a machine with {count} processors"),
            ),
            Self::AllProcessors => missing(
                may_use_all_processors().unwrap_or(false),
                "the harness cannot use every processor: run it without taskset or a cpuset".to_owned(),
            ),
            Self::BlockDevice => missing(
                !block_devices().is_empty(),
                "the kernel has no block device: load its module loop or null_blk".to_owned(),
            ),
            Self::RdmaDevice => missing(
                fs::read_dir("/sys/class/infiniband").is_ok_and(|mut devices| devices.next().is_some()),
                "the host has no device for remote memory access: load a module such as rdma_rxe".to_owned(),
            ),
            Self::HugePages(count) => missing(
                free_huge_pages() >= count,
                format!(
                    "fewer than {count} huge pages of 2 MiB are free: reserve some with `sysctl vm.nr_hugepages=8`"
                ),
            ),
            // Such a kernel gives a new group of cgroup v1 no time, and the groups above it have none to give.
            Self::RealTime => missing(
                !have.groups_lack_real_time,
                "new cgroups get no real-time budget: mount cgroup v2 alone, or boot a kernel without \
                 CONFIG_RT_GROUP_SCHED"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
