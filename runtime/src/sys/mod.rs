//! The system calls that no crate of ours wraps safely. Every `unsafe` of this crate is in here.
//!
//! Each function does one call and turns `-1` into an error; none decides anything.
#![expect(unsafe_code, reason = "raw system calls; each block says why it is sound")]

mod clone;
mod entry;
mod exec;
mod forget;
mod mount;
mod schedule;
mod signal;

pub use clone::{Alone, CloneArgs, ClonedAs, clone3, exit_now, namespace_kind, setns, unshare};
pub use entry::enter;
pub use exec::{close_range, execve, fexecve, may_execute};
pub use forget::{Scrubbing, close_all_but, scrub_freed_memory, wipe_arguments};
pub use mount::{MountAttr, mount_setattr};
pub use schedule::{ioprio_set, personality, sched_setattr, set_mempolicy};
pub use signal::{
    SignalFd, block_all_signals, default_signals, end_by_signals, heed_signals, pidfd_send_signal, unblock_all_signals,
};

use std::io;

/// Turns the `-1` of a system call into the error that `errno` holds.
fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Joins the session keyring of that name, made if there is none that this user may search; later processes of the user find it by
/// its name. keyctl(2).
///
/// # Errors
/// As keyctl(2); `ENOSYS` where the kernel has no keyrings.
pub fn join_session_keyring(name: &std::ffi::CStr) -> io::Result<()> {
    const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;
    const KEYCTL_SETPERM: libc::c_int = 5;
    const KEY_SPEC_SESSION_KEYRING: libc::c_int = -3;
    // All for who possesses it; view, read, search and link for its user.
    const PERMISSIONS: libc::c_int = 0x3f1b_0000;
    // SAFETY: the name is a string that ends in NUL and outlives the call.
    checked(unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr()) })?;
    // SAFETY: touches no memory.
    checked(unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, PERMISSIONS) }).map(drop)
}
