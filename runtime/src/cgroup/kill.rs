//! Killing all processes of a cgroup.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::freezer;
use super::group::Group;
use super::tree::Tree;
use super::wait::{Deadline, TIMEOUT, wait_for_ends, wait_for_line};
use crate::error::{Context, Error, Result};

/// All processes of the cgroup and those below.
pub(super) fn processes(tree: &Tree) -> Result<Vec<Pid>> {
    let mut found = BTreeSet::new();
    let Some(group) = tree.primary() else { return Ok(Vec::new()) };
    for group in group.with_descendants() {
        match group.read("cgroup.procs") {
            Ok(text) => found.extend(text.lines().filter_map(|line| line.parse::<i32>().ok())),
            // One below that vanished meanwhile, or a threaded one, whose processes are listed above it.
            Err(error) if matches!(error.errno(), Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP)) => {}
            Err(error) => return Err(error),
        }
    }
    // 0 stands for a process of an outer pid namespace, which nobody here can name.
    Ok(found.into_iter().filter_map(Pid::from_raw).collect())
}

/// Kills until nobody is left: in one stroke where the kernel can do it, else one by one.
pub(super) fn all(tree: &Tree) -> Result<()> {
    let deadline = Deadline::after(TIMEOUT);
    if let Some(group) = tree.unified().filter(|group| group.file("cgroup.kill").exists()) {
        group.write("cgroup.kill", "1")?;
        freezer::thaw(tree)?;
        wait_for_line(group, "cgroup.events", "populated 0", deadline)?;
    }
    one_by_one(tree, deadline)
}

/// Frozen processes of version 1 die only once they are let go on. While they are frozen they make no children, so the
/// freezer, where there is one, keeps the list complete; it need not succeed.
fn one_by_one(tree: &Tree, deadline: Deadline) -> Result<()> {
    loop {
        if processes(tree)?.is_empty() {
            return Ok(());
        }
        freezer::set(tree, true).ok();
        let killed: Vec<_> = processes(tree)?.into_iter().map(kill).collect::<Result<_>>()?;
        freezer::thaw(tree)?;
        wait_for_ends(&killed.into_iter().flatten().collect::<Vec<_>>(), deadline)?;
        if deadline.is_over() {
            return Err(Error::new("processes of the container appear faster than they can be killed"));
        }
    }
}

/// Kills one process, unless it is gone, and returns what to wait on.
fn kill(pid: Pid) -> Result<Option<(Pid, OwnedFd)>> {
    let signalled = pidfd_open(pid, PidfdFlags::empty()).and_then(|process| {
        pidfd_send_signal(&process, Signal::KILL)?;
        Ok(process)
    });
    match signalled {
        Err(Errno::SRCH) => Ok(None),
        other => Ok(Some((pid, other.doing(|| format!("kill process {}", pid.as_raw_nonzero()))?))),
    }
}

/// Whether no process is in the cgroup or below.
pub(super) fn is_empty(group: &Group) -> bool {
    group.with_descendants().iter().all(|group| group.read_if_there("cgroup.procs").is_none_or(|text| text.is_empty()))
}
