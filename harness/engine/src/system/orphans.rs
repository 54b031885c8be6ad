//! Reaps processes whose parent in the runtime ended without waiting for them. They are reparented to this process, the init process
//! of its pid namespace, and somebody waits for their end.

use std::io;
use std::sync::Mutex;

use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, getpid};

use crate::system::proc::stat::{Stat, pids};

/// The children that this process has started itself; whoever started them waits for them.
static OWN: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Notes a child that is waited for elsewhere.
pub fn spare(pid: Pid) {
    OWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(pid);
}

/// Forgets what a parent has noted: a child of it starts without children.
pub fn forget() {
    OWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
}

/// Reaps what has ended and was not started here. Does nothing in a process that is not the first of its namespace: its
/// children are all its own.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn reap() -> io::Result<()> {
    let this = getpid();
    if this.as_raw() != 1 {
        return Ok(());
    }
    let own = OWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    for pid in pids()?.into_iter().filter(|pid| !own.contains(pid)) {
        if Stat::of(pid)?.is_some_and(|stat| stat.ppid == this.as_raw() && stat.has_ended()) {
            waitpid(pid, Some(WaitPidFlag::WNOHANG))?;
        }
    }
    Ok(())
}
