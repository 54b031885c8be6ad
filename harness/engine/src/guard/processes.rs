//! The other processes of the check's pid namespace: lists them, waits for those about to end, kills them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};

use crate::system::proc::files::if_there;
use crate::system::proc::stat::{self, Stat};
use crate::system::process::wait_readable;
use crate::system::sys;

/// What names a process for good: its id and when it started.
pub(super) type Identity = (i32, u64);

pub(super) fn identity(stat: &Stat) -> Identity {
    (stat.pid, stat.start)
}

/// Takes the exit status of each child that has ended. Children that were forgotten by the runtime become ours.
pub(super) fn reap() -> io::Result<()> {
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG | WaitPidFlag::__WALL)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(()),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(why) => return Err(why.into()),
        }
    }
}

/// The processes that `/proc` shows, without this one.
pub(super) fn others() -> io::Result<Vec<Stat>> {
    let me = getpid();
    // Otherwise the processes of the host would be taken for those of the check.
    if fs::read_link("/proc/self")?.to_string_lossy() != me.to_string() {
        return Err(io::Error::other("/proc belongs to another pid namespace"));
    }
    let mut found = Vec::new();
    for pid in stat::pids()?.into_iter().filter(|pid| *pid != me) {
        found.extend(Stat::of(pid)?);
    }
    Ok(found)
}

/// Reaps, and waits until the processes that are not `known` have ended, up to the deadline. Gives back those that have
/// not. When there are none to wait for, it takes no time.
pub(super) fn settle(known: &BTreeSet<Identity>, deadline: Instant) -> io::Result<Vec<Stat>> {
    loop {
        reap()?;
        let mut left = others()?;
        left.retain(|stat| !known.contains(&identity(stat)));
        let awaited = awaited(&left)?;
        // The first test alone would go round for ever on an end that never shows in the list.
        if Instant::now() >= deadline || awaited.is_empty() || !wait_readable(&awaited, deadline)? {
            return Ok(left);
        }
    }
}

/// Those whose end is still to come. A zombie is awaited only if it is ours, for then the next round reaps it.
fn awaited(left: &[Stat]) -> io::Result<Vec<OwnedFd>> {
    let me = getpid().as_raw();
    let mut pidfds = Vec::new();
    for stat in left.iter().filter(|stat| !stat.has_ended() || stat.ppid == me) {
        pidfds.extend(if_there(sys::pidfd_open(Pid::from_raw(stat.pid)))?);
    }
    Ok(pidfds)
}
