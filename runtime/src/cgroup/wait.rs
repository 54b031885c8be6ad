//! Waiting for the kernel, with a deadline.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Pid;

use super::group::Group;
use crate::error::{Context, Error, Result};

/// How long processes may take to stop or to die. It is not a pace of polling: events end the wait.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// How long a process that nothing stops needs to die.
const AT_ONCE: Duration = Duration::from_millis(200);

/// A point in time that ends a wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    pub(super) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }

    fn left(self) -> Timespec {
        let left = self.0.saturating_duration_since(Instant::now());
        // Both parts of a wait that the callers choose fit.
        Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() }
    }
}

/// Waits until one of the descriptors has an event; says whether one has before the deadline.
pub(super) fn wait_for(descriptors: &mut [PollFd<'_>], deadline: Deadline) -> Result<bool> {
    loop {
        match poll(descriptors, Some(&deadline.left())) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error).doing(|| "wait for an event".into()),
        }
    }
}

/// Waits until a line such as `populated 0` stands in a file that tells of its changes, as `cgroup.events` does.
pub(super) fn wait_for_line(group: &Group, name: &str, line: &str, deadline: Deadline) -> Result<()> {
    let path = group.file(name);
    let file = File::open(&path).doing(|| format!("open `{}`", path.display()))?;
    loop {
        // Reading takes note of the present state: a change after it ends the wait below at once.
        if read_from_start(&file).doing(|| format!("read `{}`", path.display()))?.lines().any(|found| found == line) {
            return Ok(());
        }
        let mut changed = [PollFd::new(&file, PollFlags::PRI)];
        if !wait_for(&mut changed, deadline)? {
            return Err(Error::new(format!("`{}` did not come to say `{line}` in time", path.display())));
        }
    }
}

/// Waits until all processes have ended.
pub(super) fn wait_for_ends(processes: &[(Pid, OwnedFd)], deadline: Deadline) -> Result<()> {
    let mut left = Vec::new();
    for (pid, process) in processes {
        let mut ended = [PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)];
        if !wait_for(&mut ended, deadline)? {
            left.push(pid.as_raw_nonzero().to_string());
        }
    }
    if left.is_empty() { Ok(()) } else { Err(undying(&left.join(", "))) }
}

/// Waits for a killed process until the deadline that all processes have.
///
/// # Errors
/// When it is still there then.
pub fn wait_for_end(pid: i32, process: BorrowedFd<'_>) -> Result<()> {
    let ended = wait_for(&mut [PollFd::from_borrowed_fd(process, PollFlags::IN)], Deadline::after(TIMEOUT))?;
    if ended { Ok(()) } else { Err(undying(&pid.to_string())) }
}

/// Whether a killed process is gone before it would have been noticed to be stopped.
///
/// # Errors
/// As poll(2).
pub fn ends_at_once(process: BorrowedFd<'_>) -> Result<bool> {
    wait_for(&mut [PollFd::from_borrowed_fd(process, PollFlags::IN)], Deadline::after(AT_ONCE))
}

fn undying(pids: &str) -> Error {
    Error::new(format!(
        "these do not die of SIGKILL, since a cgroup above is frozen or they hang in the kernel: {pids}"
    ))
}

pub(super) fn read_from_start(file: &File) -> std::io::Result<String> {
    let mut bytes = vec![0; 4096];
    let length = file.read_at(&mut bytes, 0)?;
    bytes.truncate(length);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
