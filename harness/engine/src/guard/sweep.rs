//! Kills and removes what a check left, after its verdict is known.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

use super::processes;
use crate::system::cgroup;
use crate::system::deadline::scaled;
use crate::system::observer::Stat;
use crate::system::proc::files::if_there;
use crate::system::saved_mounts;

/// How long killed processes may take to end. Nobody waits that long unless the kernel is stuck.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Ends all other processes of this pid namespace and removes the control groups of the check: all that it has made, or, where
/// it has none of its own, those whose name contains `tag`.
///
/// # Errors
/// When this process is not the first of its pid namespace, for then the others are not ours to kill; when a process
/// outlives its kill; when a group cannot be removed.
pub fn sweep(tag: &str) -> io::Result<()> {
    if getpid().as_raw() != 1 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "refusing to kill: not process 1 of a namespace"));
    }
    thaw_all(tag)?;
    kill_all()?;
    // One that was thawed may have frozen itself again before it was killed.
    thaw_all(tag)?;
    see_all_end()?;
    // The list was made before the kill, and a runtime may have added to it since.
    cgroup::made_by_check(tag)?.iter().try_for_each(|group| cgroup::remove_tree(group))
}

/// Where mounts are below `dir`, in the order in which they were made.
///
/// # Errors
/// When the list of mounts cannot be read.
pub fn below(dir: &Path) -> io::Result<Vec<String>> {
    let points = saved_mounts::mounts()?.into_iter().map(|mount| mount.point);
    Ok(points.filter(|point| Path::new(point).starts_with(dir)).collect())
}

/// Detaches every mount below `dir`, so that it can be removed.
///
/// # Errors
/// When the list of mounts cannot be read.
pub fn detach_below(dir: &Path) -> io::Result<()> {
    // Each round takes one mount away; a stack of several at one place needs several.
    for point in below(dir)?.iter().rev() {
        match umount2(point.as_str(), MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => {}
            Err(why) => return Err(why.into()),
        }
    }
    Ok(())
}

fn thaw_all(tag: &str) -> io::Result<()> {
    if cgroup::is_confined() {
        return cgroup::own_roots().into_iter().try_for_each(cgroup::thaw_below);
    }
    cgroup::find_named(tag)?.iter().try_for_each(|group| cgroup::thaw_below(group))?;
    processes::others()?.iter().try_for_each(thaw)
}

/// Thaws the groups of a process whatever their name, for a runtime need not put it where the configuration says.
fn thaw(stat: &Stat) -> io::Result<()> {
    let groups = if_there(cgroup::of(Pid::from_raw(stat.pid)))?.unwrap_or_default();
    let below_root = groups.iter().filter(|group| group.path != "/");
    below_root.filter_map(|group| group.dir.as_deref()).try_for_each(|dir: &Path| cgroup::thaw_below(dir))
}

fn kill_all() -> io::Result<()> {
    match kill(Pid::from_raw(-1), Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

fn see_all_end() -> io::Result<()> {
    let left = processes::settle(&BTreeSet::new(), Instant::now() + scaled(TIMEOUT))?;
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> =
        left.iter().map(|stat| format!("{} ({}) in state {}", stat.pid, stat.comm, stat.state)).collect();
    Err(io::Error::other(format!("still there after SIGKILL: {}", names.join(", "))))
}
