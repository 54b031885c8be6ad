//! The clone(2) and clone3(2) calls.
#![expect(unsafe_code, reason = "raw system calls; each block says why it is sound")]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_int, c_long};
use nix::unistd::Pid;

/// The result of a [`clone`], in each of the two processes.
#[derive(Debug)]
pub(super) enum Cloned {
    /// In the new process. It is in the requested cgroup if that is `true`.
    Child(bool),
    /// In the old one: the new process's id, and its pidfd when that was asked for.
    Parent(Pid, Option<OwnedFd>),
}

/// `clone(2)` without new memory to run on, as `fork(2)`: born into the control group of version 2 whose directory is `into`
/// where the kernel can do that, else into that of its parent. With `CLONE_PIDFD` the pidfd is given back.
///
/// # Errors
/// When this process has other threads, or the kernel refuses.
pub(super) fn clone(flags: c_int, into: Option<BorrowedFd<'_>>) -> io::Result<Cloned> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(io::Error::other(format!("refusing to clone: {threads} threads")));
    }
    if let Some(group) = into {
        match clone3(flags, group) {
            // An old kernel, or a filter of system calls that does not know this one.
            Err(why) if matches!(why.raw_os_error(), Some(libc::ENOSYS | libc::E2BIG | libc::EPERM)) => {}
            done => return done,
        }
    }
    let mut pidfd: RawFd = -1;
    let flags = c_long::from(flags | libc::SIGCHLD);
    // SAFETY: one thread means that no lock can be held by a thread that the child lacks. Without a stack the child goes on
    // with a copy of this one; the kernel writes one integer to `pidfd`, and only when `CLONE_PIDFD` asks for it.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, &raw mut pidfd, 0_usize, 0_usize) };
    cloned(pid, pidfd, false)
}

fn clone3(flags: c_int, group: BorrowedFd<'_>) -> io::Result<Cloned> {
    const INTO_CGROUP: u64 = 0x2_0000_0000;
    let number = |value: c_int| u64::from(value.cast_unsigned());
    let mut pidfd: RawFd = -1;
    // SAFETY: the structure holds integers alone, for which zero is a value.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = number(flags) | INTO_CGROUP;
    args.exit_signal = number(libc::SIGCHLD);
    args.cgroup = number(group.as_raw_fd());
    args.pidfd = (&raw mut pidfd) as u64;
    // SAFETY: as above; the structure is of the size that is told, and both outlive the call.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) };
    cloned(pid, pidfd, true)
}

fn cloned(pid: c_long, pidfd: RawFd, placed: bool) -> io::Result<Cloned> {
    match i32::try_from(pid).unwrap_or(-1) {
        0 => Ok(Cloned::Child(placed)),
        pid if pid > 0 => {
            // SAFETY: the kernel has just made this descriptor for us alone.
            let pidfd = (pidfd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(pidfd) });
            Ok(Cloned::Parent(Pid::from_raw(pid), pidfd))
        }
        _ => Err(io::Error::last_os_error()),
    }
}
