//! Passes descriptors to a program. Every `unsafe` of this crate is here.
#![expect(unsafe_code, reason = "code between fork and exec; the block says why it is sound")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getpid, getppid};

/// Lets a program keep these descriptors, under the numbers that they have here, and lets it end when the thread that
/// starts it does, however that ends.
pub(crate) fn hand_down(command: &mut Command, fds: Vec<OwnedFd>) {
    let parent = getpid();
    let prepare = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        if getppid() != parent {
            return Err(io::ErrorKind::NotFound.into());
        }
        for fd in &fds {
            debug_assert!(fd.as_raw_fd() > 2);
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls on descriptors that it owns; it allocates nothing and
    // takes no lock.
    unsafe { command.pre_exec(prepare) };
}
