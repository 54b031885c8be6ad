//! Removes cgroups, waiting for the processes in them.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;
use plimsoll_foreign::read;

use super::reach::reach;
use super::tree::below;
use crate::system::deadline::scaled;
use crate::system::descriptors::wait_readable;
use crate::system::proc::files::{about, if_there, is_gone, read_text};
use crate::system::sys;

/// How long a process that was killed may stay in its group. Nobody waits that long unless something is wrong.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Removes a group and all in it. The processes in them must have been killed; their end is waited for.
///
/// # Errors
/// When one stays busy; the error names it and who is in it. A group that is gone is no error.
pub fn remove_tree(dir: &Path) -> io::Result<()> {
    remove_before(dir, Instant::now() + scaled(TIMEOUT))
}

pub(super) fn remove_before(dir: &Path, deadline: Instant) -> io::Result<()> {
    let within = below(dir)?;
    within.iter().rev().try_for_each(|group| remove(group, deadline))?;
    remove(dir, deadline)
}

fn remove(group: &Path, deadline: Instant) -> io::Result<()> {
    loop {
        match reach(group).and_then(fs::remove_dir) {
            Ok(()) => return Ok(()),
            Err(why) if is_gone(&why) => return Ok(()),
            Err(why) if why.raw_os_error() == Some(libc::EBUSY) && Instant::now() < deadline => {
                wait_for_change(group, deadline)?;
            }
            Err(why) => return Err(about(describe(group), &why)),
        }
    }
}

fn describe(group: &Path) -> String {
    // Only words for an error that is on its way: a group that cannot be read is shown without its processes.
    let pids = members(group).unwrap_or_default();
    if pids.is_empty() { group.display().to_string() } else { format!("{} with processes {pids:?}", group.display()) }
}

/// Processes in a group; 0 stands for one that is outside of our pid namespace.
pub(super) fn members(group: &Path) -> io::Result<Vec<i32>> {
    let text = if_there(reach(&group.join("cgroup.procs")).and_then(read_text))?.unwrap_or_default();
    Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
}

/// Waits until something happened in a busy group that may allow to remove it.
fn wait_for_change(group: &Path, deadline: Instant) -> io::Result<()> {
    let pids = members(group)?;
    if pids.contains(&0) {
        return Err(io::Error::other(format!("{} holds processes outside of our pid namespace", group.display())));
    }
    for pid in &pids {
        if let Some(pidfd) = if_there(sys::pidfd_open(Pid::from_raw(*pid)))? {
            wait_readable(&[pidfd], deadline)?;
        }
    }
    if pids.is_empty() {
        wait_until_unpopulated(group, deadline)?;
    }
    Ok(())
}

/// Waits until the kernel says that the last process, already past its last instruction, has left.
fn wait_until_unpopulated(group: &Path, deadline: Instant) -> io::Result<()> {
    let Some(events) = if_there(reach(&group.join("cgroup.events")).and_then(File::open))? else {
        // Version 1 has no event for this. A process leaves within microseconds of its end, so give way to it.
        std::thread::yield_now();
        return Ok(());
    };
    let text = read::whole(&events, read::KERNEL)?;
    if text.windows(11).any(|window| window == b"populated 1") {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        poll(&mut [PollFd::new(events.as_fd(), PollFlags::POLLPRI)], left)?;
    }
    Ok(())
}
