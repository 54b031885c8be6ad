//! Creates a process in its own cgroups.
//!
//! A process can move between groups later, but then the kernel waits for all processors (a grace period, up to 23 ms). It waits
//! for nothing when a process of one thread writes `0` to `tasks` of version 1, and when a process is created into a group of
//! version 2. The process that a cgroup namespace is made by has to stand in the group that is to be its root, and with
//! processes in it that group could not hand its controllers on; so there are two clones:
//! ```text
//! supervisor ──► helper, in the group of the check: joins, unshare(cgroup), leaves the namespace behind and ends
//!      │         (now the group is empty, and can hand its controllers on)
//!      └───────► check, in a group below: joins, setns(cgroup)
//! ```

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::OFlag;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, dup3};

use super::sys::{self, Cloned};
use crate::system::cgroup::{CheckGroups, LEAF};
use crate::system::sys::{exit_now, fork, pidfd_open, tell};

/// Exit code of a helper that failed without a number of an error.
const UNKNOWN: i32 = 255;

/// Lets `child` run as process 1 of a new pid namespace, in these groups, with them as the roots of its cgroup namespace.
/// Gives back its id and its pidfd.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn within(groups: &CheckGroups, child: impl FnOnce() -> i32) -> io::Result<(Pid, OwnedFd)> {
    let namespace = namespace_of(groups)?;
    groups.hand_on()?;
    let leaf = groups.open_leaf()?;
    let flags = libc::CLONE_NEWPID | libc::CLONE_PIDFD;
    match sys::clone(flags, leaf.as_ref().map(AsFd::as_fd))? {
        Cloned::Parent(pid, Some(pidfd)) => Ok((pid, pidfd)),
        Cloned::Parent(_, None) => Err(io::Error::other("the kernel gave no pidfd")),
        Cloned::Child(placed) => {
            let enter = || -> io::Result<()> {
                groups.join(if placed { None } else { Some(LEAF) })?;
                Ok(setns(&namespace, CloneFlags::CLONE_NEWCGROUP)?)
            };
            if let Err(why) = enter() {
                tell(&format!("plimsoll: cannot enter the cgroups of a check: {why}"));
                exit_now(UNKNOWN);
            }
            exit_now(child())
        }
    }
}

/// A cgroup namespace whose roots are these cgroups. No process is in them afterwards.
fn namespace_of(groups: &CheckGroups) -> io::Result<OwnedFd> {
    let root = groups.open_root()?;
    // The helper shares the table of descriptors, and puts the namespace here.
    let mut place: OwnedFd = File::open("/dev/null")?.into();
    let helper = match sys::clone(libc::CLONE_FILES, root.as_ref().map(AsFd::as_fd))? {
        Cloned::Parent(pid, _) => pid,
        Cloned::Child(placed) => {
            let helped = help(groups, placed, &mut place);
            exit_now(helped.map_or_else(|why| why.raw_os_error().unwrap_or(UNKNOWN), |()| 0));
        }
    };
    match waitpid(helper, None)? {
        WaitStatus::Exited(_, 0) => Ok(place),
        WaitStatus::Exited(_, code) if code != UNKNOWN => Err(io::Error::from_raw_os_error(code)),
        other => Err(io::Error::other(format!("the helper that makes a check's cgroup namespace ended: {other:?}"))),
    }
}

/// What the helper does. It closes no descriptor that is its parent's: their table is one.
fn help(groups: &CheckGroups, placed: bool, place: &mut OwnedFd) -> io::Result<()> {
    groups.join(if placed { None } else { Some("") })?;
    unshare(CloneFlags::CLONE_NEWCGROUP)?;
    Ok(dup3(File::open("/proc/self/ns/cgroup")?, place, OFlag::O_CLOEXEC)?)
}

/// Lets `child` run as process 1 of a new pid namespace, in the control groups of this process. Gives back its id and its pidfd.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn beside(child: impl FnOnce() -> i32) -> io::Result<(Pid, OwnedFd)> {
    let own = File::open("/proc/self/ns/pid")?;
    // For the next child only: a process cannot change its own.
    unshare(CloneFlags::CLONE_NEWPID)?;
    let forked = fork();
    if let Ok(ForkResult::Child) = forked {
        exit_now(child());
    }
    setns(&own, CloneFlags::CLONE_NEWPID)?;
    match forked? {
        ForkResult::Parent { child } => Ok((child, pidfd_open(child)?)),
        ForkResult::Child => unreachable!("it has exited"),
    }
}
