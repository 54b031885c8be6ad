//! Control groups: the only place that knows cgroup version 1 from version 2.
//!
//! What is called when, on the way to a running container:
//! ```text
//! runtime, before clone     Host::detect → Place::choose → Site::survey → (the record is written) → open
//!                           make ─ apply ─ entry
//! clone3                    Entry::directory gives the descriptor for CLONE_INTO_CGROUP
//! child, first of all       Entry::join, then unshare(CLONE_NEWCGROUP)
//! runtime, after clone      adopt (systemd moves the child; a child of systemd's waits for it before it goes on)
//!                           gate; after the child's mknod PreparedRules::apply: from here on the device rules hold
//! ```
//! Where there are hierarchies of version 1, and the child has the rights of root, it makes them itself:
//! ```text
//! runtime, before clone     … open ─ clone_target
//! child, first of all       make ─ apply ─ entry ─ Entry::join
//! ```
//! The start path never writes a pid to `cgroup.procs`: that waits for an RCU grace period, 7 to 23 ms on an idle host.
//! On version 1 the child, which has a single thread, writes `0` to each `tasks`; on version 2 it is created in its cgroup.
//!
//! Statistics are read through the crate cgroups-rs. Limits are not written through it: it has neither `unified`, nor
//! device programs, nor a `pids.limit` of 0, swallows errors of some writes, and sleeps while it removes a cgroup.

mod absent;
mod below;
mod device;
mod entry;
mod events;
mod freezer;
mod group;
mod host;
mod kill;
mod mounts;
mod ownership;
mod place;
mod remove;
mod settings;
mod site;
mod stats;
mod sys;
mod systemd;
mod tree;
mod wait;

use std::os::fd::OwnedFd;

use rustix::process::{Gid, Pid, Uid};

pub use below::Below;
pub use device::{Policy, PreparedRules};
pub use entry::Entry;
pub use events::{Oom, OomEvents};
pub use host::{Hierarchy, Host, Version};
pub use mounts::{Bind, Mounts};
pub use place::{Manager, Place, Request};
pub use site::Site;
pub use stats::Stats;
pub use wait::{ends_at_once, wait_for_end};

use crate::config::{DeviceRule, Resources};
use crate::error::Result;

/// The cgroup of one container, in all hierarchies of the host.
pub trait Cgroup: std::fmt::Debug {
    /// Runtime, before clone: makes the directories that are missing, and on version 2 enables the controllers above.
    ///
    /// # Errors
    /// When a directory cannot be made, for want of rights or because its cgroup does not allow children.
    fn make(&self) -> Result<()>;

    /// Whether a child can make and join the cgroup after its birth; then only [`Cgroup::clone_target`] is needed before.
    fn is_joined_late(&self) -> bool {
        false
    }

    /// Runtime, before clone: makes and opens the part of the cgroup that a child can only be created in.
    ///
    /// # Errors
    /// As [`Cgroup::make`].
    fn clone_target(&self) -> Result<Option<OwnedFd>> {
        Ok(None)
    }

    /// Runtime, before clone: the descriptors by which a child comes into the cgroup. `init` is the container's first
    /// process when there is one already (`exec`): it may have moved to a cgroup below, and the child goes there.
    ///
    /// # Errors
    /// When the cgroup cannot be opened.
    fn entry(&self, init: Option<Pid>) -> Result<Entry>;

    /// As [`Cgroup::entry`], into a cgroup below, which must exist: another one for each hierarchy if so chosen.
    ///
    /// # Errors
    /// When it cannot be opened, or a choice fits no hierarchy.
    fn entry_below(&self, chosen: &[Below]) -> Result<Entry>;

    /// Runtime, after clone and before the child is told to go on: lets the manager move the child when it is not
    /// created in its cgroup. Says whether anything was to be done, so that a caller can spare the child the wait.
    ///
    /// # Errors
    /// When the manager refuses or cannot be reached.
    fn adopt(&self, child: Pid) -> Result<()>;

    /// Whether the container has a cgroup of its own; without one it has nothing to kill or to remove by it.
    fn is_own(&self) -> bool {
        true
    }

    /// Whether the child has to wait for [`Cgroup::adopt`].
    fn adopts(&self) -> bool;

    /// Writes the limits; in `update` also those of a running container.
    ///
    /// # Errors
    /// When a limit has no counterpart on this host, its controller is missing, or the kernel refuses the value.
    fn apply(&self, resources: &Resources) -> Result<()>;

    /// Runtime, after clone: prepares the device rules, which take effect when the gate is closed. No rules, no gate:
    /// the cgroup keeps what it has.
    ///
    /// # Errors
    /// When version 1 cannot express the rules, or the kernel refuses the program of version 2.
    fn prepare_device_rules(&self, rules: &[DeviceRule]) -> Result<PreparedRules>;

    /// Runtime, before the container runs: gives the cgroup to the owner of the container's user namespace, as far as
    /// the kernel lists its files as delegatable. Does nothing on version 1, where delegation is not safe.
    ///
    /// # Errors
    /// When the owner cannot be changed.
    fn hand_over(&self, uid: Uid, gid: Gid) -> Result<()>;

    /// Stops (`true`) or continues all processes; returns when they have stopped.
    ///
    /// # Errors
    /// When there is no freezer, or the processes do not stop in time; they are let go on then.
    fn freeze(&self, frozen: bool) -> Result<()>;

    /// Lets all processes go on, also those of cgroups below that others have stopped. Waits for nothing.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn thaw(&self) -> Result<()>;

    /// Whether the processes are stopped, or about to be.
    ///
    /// # Errors
    /// When the state cannot be read.
    fn is_frozen(&self) -> Result<bool>;

    /// Kills all processes, also frozen ones, and returns when they are dead.
    ///
    /// # Errors
    /// When they cannot be listed or killed, or do not die in time.
    fn kill(&self) -> Result<()>;

    /// All processes, also of cgroups below, in rising order.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn processes(&self) -> Result<Vec<Pid>>;

    /// What the container uses.
    ///
    /// # Errors
    /// When the cgroup is gone.
    fn stats(&self) -> Result<Stats>;

    /// Watches for the end of memory.
    ///
    /// # Errors
    /// When there is no memory controller.
    fn oom_events(&self) -> Result<OomEvents>;

    /// Removes what [`Cgroup::make`] made if nothing is in it, as is so nearly always when the program has ended. Says whether
    /// it is gone; if not, the processes have to be killed and the rest removed.
    ///
    /// # Errors
    /// When it cannot be removed for another reason.
    fn remove_if_empty(&self) -> Result<bool> {
        Ok(false)
    }

    /// Removes what [`Cgroup::make`] made and cgroups below; the processes must be dead.
    ///
    /// # Errors
    /// When a process is left that does not die, or a directory cannot be removed.
    fn remove(&self) -> Result<()>;

    /// What a mount of type `cgroup` shows.
    fn mounts(&self) -> Mounts;
}

/// Opens the cgroup at a site, which need not have been made yet.
///
/// # Errors
/// When the manager of the site is systemd and there is none.
pub fn open(site: &Site, host: &Host) -> Result<Box<dyn Cgroup>> {
    let tree = tree::Tree::new(site, host);
    Ok(match &site.place.manager {
        Manager::Cgroupfs => Box::new(tree),
        Manager::Systemd { slice, unit, user } => Box::new(systemd::Scope::new(slice, unit, *user, tree)?),
        Manager::Absent => Box::new(absent::Absent::new(host)),
    })
}
