//! Notification of the end of child processes. Every `unsafe` of this crate is here.
#![expect(unsafe_code, reason = "a signal handler; each block says why it is sound")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::fcntl::OFlag;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// Where the handler writes.
static WRITE_END: AtomicI32 = AtomicI32::new(-1);

/// A pipe that becomes readable whenever a child, also an adopted one, has ended. No signal is blocked for it, since a
/// runtime would inherit that. The two ends must be kept as long as children may end.
///
/// # Errors
/// When the kernel refuses pipe or handler.
pub fn on_child_end() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    WRITE_END.store(write.as_raw_fd(), Ordering::SeqCst);
    let flags = SaFlags::SA_RESTART | SaFlags::SA_NOCLDSTOP;
    let action = SigAction::new(SigHandler::Handler(note), flags, SigSet::empty());
    // SAFETY: the handler makes one system call that is safe in a handler and keeps `errno`.
    unsafe { sigaction(Signal::SIGCHLD, &action) }?;
    Ok((read, write))
}

extern "C" fn note(_signal: libc::c_int) {
    // SAFETY: write(2) is async-signal-safe, the byte lives, and `errno` is put back. A full pipe is readable already.
    unsafe {
        let before = *libc::__errno_location();
        libc::write(WRITE_END.load(Ordering::SeqCst), [0_u8].as_ptr().cast(), 1);
        *libc::__errno_location() = before;
    }
}

/// Where a traced task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Before this system call with these arguments.
    Entry(u64, [u64; 6]),
    /// After one, or elsewhere.
    Other,
}

/// What `PTRACE_GET_SYSCALL_INFO` says.
#[must_use]
pub fn edge(info: &libc::ptrace_syscall_info) -> Edge {
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return Edge::Other;
    }
    // SAFETY: `op` says which member of the union the kernel has filled.
    let entry = unsafe { info.u.entry };
    Edge::Entry(entry.nr, entry.args)
}
