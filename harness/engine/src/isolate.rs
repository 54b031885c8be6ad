//! Sets one check apart: namespaces of its own for processes, mounts, host name, network and IPC, and a `/dev/null` of its
//! own, so that whatever it or the runtime does dies with it, and what others do on this host meanwhile is not taken for
//! its doing.
//!
//! ```text
//! supervisor ──unshare(pid), fork──► check (pid 1, reaps the runtime's orphans) ──► unshare(mnt, uts, net, ipc)
//!      ◄── result over a pipe ────────┘
//! ```
//! The check dies with the supervisor, and a pid namespace with its pid 1, so a killed harness leaves no process and no
//! mount.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, SFlag, makedev, mknod, umask};
use nix::unistd::{ForkResult, Pid, setsid};

use crate::process::Capture;
use crate::{orphans, sys};

/// The longest result of a check.
const LONGEST: usize = 16 * 1024 * 1024;

/// A check under way.
#[derive(Debug)]
pub struct Apart {
    /// Its first process; when that ends, everything of the check has ended.
    pub pid: Pid,
    /// Readable once it has ended.
    pub pidfd: OwnedFd,
    /// Where the result comes in.
    pub output: Capture,
}

/// Runs `work` in a process set apart and sends what it returns. Its `/dev/null` is made at `null`, which is not there yet.
///
/// # Errors
/// When this process cannot fork.
pub fn spawn(null: &Path, work: impl FnOnce() -> Vec<u8>) -> io::Result<Apart> {
    let (output, result) = Capture::pipe(LONGEST)?;
    let own = File::open("/proc/self/ns/pid")?;
    // For the next child only: a process cannot change its own.
    unshare(CloneFlags::CLONE_NEWPID)?;
    let forked = sys::fork();
    if let Ok(ForkResult::Child) = forked {
        drop(output);
        sys::exit_now(if perform(result, null, work).is_ok() { 0 } else { FAILED });
    }
    setns(&own, CloneFlags::CLONE_NEWPID)?;
    match forked? {
        ForkResult::Parent { child } => Ok(Apart { pid: child, pidfd: sys::pidfd_open(child)?, output }),
        ForkResult::Child => unreachable!("it has exited"),
    }
}

/// What a check has for itself; containers without namespaces of their own see these as the host's.
const OWN: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWIPC);

/// Exit code of a process that could not be set apart.
const FAILED: i32 = 70;

fn perform(result: OwnedFd, null: &Path, work: impl FnOnce() -> Vec<u8>) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    // A supervisor that ended before that holds the other end no more.
    if has_no_reader(&result)? {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    // A session of its own: Ctrl-C reaches the supervisor alone, and no runtime finds the user's terminal.
    setsid()?;
    // That of the user may be narrow, and a runtime may keep to it.
    umask(Mode::from_bits_truncate(0o022));
    unshare(OWN)?;
    mount_proc()?;
    mount_null(null)?;
    sys::loopback_up()?;
    orphans::forget();
    let bytes = work();
    File::from(result).write_all(&bytes)
}

fn has_no_reader(pipe: &OwnedFd) -> io::Result<bool> {
    let mut polled = [PollFd::new(pipe.as_fd(), PollFlags::empty())];
    poll(&mut polled, PollTimeout::ZERO)?;
    Ok(polled[0].revents().is_some_and(|seen| seen.contains(PollFlags::POLLERR)))
}

/// `/proc` of the new pid namespace over the old one.
fn mount_proc() -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    Ok(mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>)?)
}

/// A `/dev/null` that this check alone has: a runtime may give that of the host to a container's user, and then the next
/// check would find it changed. Whoever may not make devices goes on with that of the host.
fn mount_null(path: &Path) -> io::Result<()> {
    match mknod(path, SFlag::S_IFCHR, Mode::empty(), makedev(1, 3)) {
        Ok(()) => {}
        Err(Errno::EPERM) => return Ok(()),
        Err(why) => return Err(why.into()),
    }
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    Ok(mount(Some(path), "/dev/null", None::<&str>, MsFlags::MS_BIND, None::<&str>)?)
}
