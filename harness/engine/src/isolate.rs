//! Sets one check apart: namespaces of its own for processes, mounts, host name, network and IPC, and a `/dev` of its
//! own, so that whatever it or the runtime does dies with it, and what others do on this host meanwhile is not taken for
//! its doing.
//!
//! ```text
//! supervisor ──unshare(pid), fork──► check (pid 1, reaps the runtime's orphans) ──► unshare(mnt, uts, net, ipc)
//!      ◄── result over a socket ──────┘
//! ```
//! The check dies with the supervisor, and a pid namespace with its pid 1, so a killed harness leaves no process and no
//! mount.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{ForkResult, Pid, setsid};

use crate::result_channel::{self, Receiver, Sender};
use crate::{orphans, private_dev, sys};

/// A check under way.
#[derive(Debug)]
pub struct Apart {
    /// Its first process; when that ends, everything of the check has ended.
    pub pid: Pid,
    /// Readable once it has ended.
    pub pidfd: OwnedFd,
    /// Where the result comes in.
    pub output: Receiver,
}

/// Runs `work` in a process set apart and sends what it returns. Its `/dev` is prepared at `dev`, a directory of the run.
///
/// # Errors
/// When this process cannot fork.
pub fn spawn(dev: &Path, work: impl FnOnce() -> Vec<u8>) -> io::Result<Apart> {
    let (sender, output) = result_channel::pair()?;
    let own = File::open("/proc/self/ns/pid")?;
    // For the next child only: a process cannot change its own.
    unshare(CloneFlags::CLONE_NEWPID)?;
    let forked = sys::fork();
    if let Ok(ForkResult::Child) = forked {
        drop(output);
        let done = perform(sender, dev, work).inspect_err(|why| eprintln!("plimsoll: cannot set a check apart: {why}"));
        sys::exit_now(if done.is_ok() { 0 } else { FAILED });
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

fn perform(sender: Sender, dev: &Path, work: impl FnOnce() -> Vec<u8>) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The runtime has no business in the memory of its judge. What this process executes is dumpable again.
    nix::sys::prctl::set_dumpable(false)?;
    // A supervisor that ended before that holds the other end no more.
    if sender.is_alone()? {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    // A session of its own: Ctrl-C reaches the supervisor alone, and no runtime finds the user's terminal.
    setsid()?;
    // That of the user may be narrow, and a runtime may keep to it.
    umask(Mode::from_bits_truncate(0o022));
    unshare(OWN)?;
    mount_proc()?;
    private_dev::mount_private(dev)?;
    sys::loopback_up()?;
    sys::forget_streams()?;
    orphans::forget();
    sender.send(&work())
}

/// `/proc` of the new pid namespace over the old one.
fn mount_proc() -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    Ok(mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>)?)
}
