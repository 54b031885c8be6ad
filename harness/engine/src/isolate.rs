//! Sets one check apart: namespaces of its own for processes, mounts and host name, so that whatever it or the runtime
//! does dies with it.
//!
//! ```text
//! supervisor ──fork──► keeper ──unshare(pid, mnt, uts), fork──► check (pid 1, reaps the runtime's orphans)
//!      ◄── result over a pipe ────────────────────────────────────┘
//! ```
//! Each dies with its parent, and a pid namespace dies with its pid 1, so a killed harness leaves no process and no
//! mount.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, getpid, setsid};

use crate::process::Capture;
use crate::{orphans, sys};

/// The longest result of a check.
const LONGEST: usize = 16 * 1024 * 1024;

/// A check under way.
#[derive(Debug)]
pub struct Apart {
    /// The keeper; when it ends, everything of the check has ended.
    pub keeper: Pid,
    /// Readable once the keeper has ended.
    pub pidfd: OwnedFd,
    /// Where the result comes in.
    pub output: Capture,
}

/// Runs `work` in a process set apart and sends what it returns.
///
/// # Errors
/// When this process cannot fork.
pub fn spawn(work: impl FnOnce() -> Vec<u8>) -> io::Result<Apart> {
    let (output, result) = Capture::pipe(LONGEST)?;
    let parent = getpid();
    match sys::fork()? {
        ForkResult::Parent { child } => Ok(Apart { keeper: child, pidfd: sys::pidfd_open(child)?, output }),
        ForkResult::Child => {
            drop(output);
            sys::exit_now(keep(parent, result, work).unwrap_or(FAILED));
        }
    }
}

/// Exit code of a keeper that could not set its check apart.
pub const FAILED: i32 = 70;

fn keep(parent: Pid, result: OwnedFd, work: impl FnOnce() -> Vec<u8>) -> io::Result<i32> {
    sys::die_with(parent)?;
    // A session of its own: Ctrl-C reaches the supervisor alone, and no runtime finds the user's terminal.
    setsid()?;
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS)?;
    let keeper = getpid();
    match sys::fork()? {
        ForkResult::Parent { child } => {
            drop(result);
            Ok(match waitpid(child, None)? {
                WaitStatus::Exited(_, code) => code,
                _ => FAILED,
            })
        }
        ForkResult::Child => {
            sys::die_with(keeper)?;
            mount_proc()?;
            orphans::forget();
            let bytes = work();
            File::from(result).write_all(&bytes)?;
            Ok(0)
        }
    }
}

/// `/proc` of the new pid namespace over the old one.
fn mount_proc() -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    Ok(mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>)?)
}
