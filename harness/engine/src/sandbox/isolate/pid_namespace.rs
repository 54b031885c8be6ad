//! Isolates a whole measurement, once and before it begins: the process that continues is process 1 of a pid namespace, with its
//! own uts, ipc and mount namespaces. What a runtime leaves, signals or renames there does not reach the host.
//!
//! ```text
//! supervisor: waits, hands signals on ──► process 1: measures, reports, ends with the exit code
//! ```
//! The network stays that of the host: a bundle of the user may be one without a network namespace, and then that is what it is
//! to be measured with.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, setsid};

use super::mount_proc;
use super::sys::{Cloned, clone};
use crate::system::process::wait_readable;
use crate::system::sys::{on_interrupt, pidfd_open, pidfd_signal};

/// Which of the two processes this is.
#[derive(Debug)]
pub enum Side {
    /// The one that measures.
    Within(PidNamespace),
    /// The one that waited for it, and the exit code with which it has ended.
    Outside(u8),
}

/// This process is the first of a pid namespace that was made for it. Dropping this ends all others there.
#[derive(Debug)]
pub struct PidNamespace(());

/// What the measurement has for itself, besides process ids.
const OWN: CloneFlags = CloneFlags::CLONE_NEWNS.union(CloneFlags::CLONE_NEWUTS).union(CloneFlags::CLONE_NEWIPC);

/// Goes on in a new process, isolated, while this one (which must have a single thread) waits for it. `interrupted` is set in
/// the new one by a signal that either of them gets; a second signal ends it at once.
///
/// # Errors
/// When the kernel refuses, and when the new process did not end by itself.
pub fn enter(interrupted: &'static AtomicBool) -> io::Result<Side> {
    on_interrupt(interrupted)?;
    let supervisor = pidfd_open(getpid())?;
    // Taken only while the supervisor waits, so that none comes between a look at the flag and the wait.
    let blocked: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
    let before = blocked.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    match clone(libc::CLONE_NEWPID | libc::CLONE_PIDFD, None)? {
        Cloned::Parent(pid, Some(pidfd)) => attend(pid, &pidfd, interrupted, before).map(Side::Outside),
        Cloned::Parent(_, None) => Err(io::Error::other("the kernel gave no pidfd")),
        Cloned::Child(_) => {
            before.thread_set_mask()?;
            settle(&supervisor)?;
            Ok(Side::Within(PidNamespace(())))
        }
    }
}

/// What the new process does first. It dies with its supervisor, and its namespace with it.
fn settle(supervisor: &OwnedFd) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    if wait_readable(&[supervisor], Instant::now())? {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    // A session of its own: Ctrl-C reaches the supervisor alone, and no runtime that is measured.
    setsid()?;
    unshare(OWN)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)?;
    mount_proc()
}

/// Waits for the process that measures: its exit code.
fn attend(pid: Pid, pidfd: &OwnedFd, interrupted: &AtomicBool, taken: SigSet) -> io::Result<u8> {
    let mut signals = [Signal::SIGTERM, Signal::SIGKILL].into_iter();
    loop {
        if interrupted.swap(false, Ordering::SeqCst)
            && let Some(signal) = signals.next()
        {
            pidfd_signal(pidfd.as_fd(), signal as i32)?;
        }
        match ppoll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], None, Some(taken)) {
            Ok(_) => break,
            Err(Errno::EINTR) => {}
            Err(why) => return Err(why.into()),
        }
    }
    match waitpid(pid, None)? {
        WaitStatus::Exited(_, code) => u8::try_from(code).map_err(io::Error::other),
        WaitStatus::Signaled(_, signal, _) => Err(io::Error::other(format!(
            "the process that measures was ended by {signal}; `plimsoll clean` removes what is left"
        ))),
        other => Err(io::Error::other(format!("the process that measures: {other:?}"))),
    }
}

impl Drop for PidNamespace {
    fn drop(&mut self) {
        // Any other process has taken this over by a fork, and `-1` would be everybody around it.
        if getpid() == Pid::from_raw(1) {
            // None is there: that is as wanted, and process 1 may signal all others.
            let ended = kill(Pid::from_raw(-1), Signal::SIGKILL);
            debug_assert!(matches!(ended, Ok(()) | Err(Errno::ESRCH)), "{ended:?}");
        }
    }
}
