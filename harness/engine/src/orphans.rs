//! Processes of a container whose parent in the runtime has gone without waiting for them: they come to this process,
//! the first of its pid namespace, and the container's first process cannot end before they are reaped.

use std::fs;
use std::io;

use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, getpid};

use crate::observer::stat::{Stat, pids};

/// Reaps what has ended in pid namespaces below ours. Calls of the runtime are in ours, and have somebody who waits.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn reap() -> io::Result<()> {
    for pid in pids()? {
        let is_ours = Stat::of(pid)?.is_some_and(|stat| stat.ppid == getpid().as_raw() && stat.has_ended());
        if is_ours && is_below(pid) {
            waitpid(pid, Some(WaitPidFlag::WNOHANG))?;
        }
    }
    Ok(())
}

/// Whether it has a number in a pid namespace below ours.
fn is_below(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.is_some_and(|numbers| numbers.split_whitespace().count() > 1)
}
