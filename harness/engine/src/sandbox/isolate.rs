//! Isolates one check: it has its own pid, cgroup, mount, uts, network and ipc namespaces and its own `/dev`. Whatever it or the
//! runtime does ends with it, and what other programs do on the host is not attributed to it.
//!
//! ```text
//! supervisor ──into its own cgroups ([`into_cgroup`])──► check (pid 1, reaps the runtime's orphans) ──► unshare(mnt, uts, net, ipc)
//!      ◄── result over a socket ──────────────────────┘
//! ```
//! The check dies with the supervisor, and a pid namespace with its pid 1, so a killed harness leaves no process and no
//! mount.

mod into_cgroup;
pub mod pid_namespace;
mod sys;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid, close, setsid};

use crate::sandbox::private_dev;
use crate::sandbox::result_channel::{self, Receiver, Sender};
use crate::system::cgroup::{self, CheckGroups};
use crate::system::kernel_fs;
use crate::system::orphans;
use crate::system::saved_mounts;
use crate::system::sys::{close_all_but, forget_streams, loopback_up, tell};

/// A check under way.
#[derive(Debug)]
pub struct IsolatedProcess {
    /// Its init process; when that ends, everything of the check has ended.
    pub pid: Pid,
    /// Readable once it has ended.
    pub pidfd: OwnedFd,
    /// Where the result comes in.
    pub output: Receiver,
}

/// Runs `work` in a process isolated and sends what it returns. Its `/dev` is prepared at `dev`, a directory of the run. It
/// stands in `groups`, if there are some, and sees no others.
///
/// # Errors
/// When this process cannot fork, or the kernel refuses it its groups.
pub fn spawn(dev: &Path, groups: Option<&CheckGroups>, work: impl FnOnce() -> Vec<u8>) -> io::Result<IsolatedProcess> {
    let (sender, output) = result_channel::pair()?;
    let ours = output.fd().map(|fd| fd.as_raw_fd());
    let child = move || {
        // In the check's own table: it must see when the supervisor reads no more.
        let closed = ours.map_or(Ok(()), close);
        debug_assert!(closed.is_ok(), "{closed:?}");
        let performed = perform(sender, dev, groups, work);
        performed.map_or_else(
            |why| {
                tell(&format!("plimsoll: cannot isolate a check: {why}"));
                FAILED
            },
            |()| 0,
        )
    };
    let (pid, pidfd) = match groups {
        Some(groups) => into_cgroup::within(groups, child)?,
        None => into_cgroup::beside(child)?,
    };
    Ok(IsolatedProcess { pid, pidfd, output })
}

/// What a check has for itself; containers without namespaces of their own see these as the host's.
const OWN: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWIPC);

/// Exit code of a process that could not be isolated.
const FAILED: i32 = 70;

fn perform(sender: Sender, dev: &Path, groups: Option<&CheckGroups>, work: impl FnOnce() -> Vec<u8>) -> io::Result<()> {
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
    let outside = File::open("/proc/self/mountinfo")?;
    unshare(OWN)?;
    // What others mount on the host while the check runs must not come in here, and be taken for the runtime's.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    mount_proc()?;
    groups.map_or(Ok(()), cgroup::confine)?;
    private_dev::mount_private(dev)?;
    loopback_up()?;
    forget_streams()?;
    // What the supervisor and its caller have open is within the reach of the runtime, by `/proc/1/fd`.
    let mut kept = kernel_fs::descriptors();
    kept.extend([sender.fd(), outside.as_fd()]);
    close_all_but(&kept)?;
    saved_mounts::keep_outside(outside);
    orphans::forget();
    sender.send(&work())
}

/// `/proc` of the new pid namespace over the old one.
fn mount_proc() -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    Ok(mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>)?)
}
