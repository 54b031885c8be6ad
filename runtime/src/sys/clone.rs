//! New processes and namespaces: clone3(2), unshare(2), setns(2), ioctl_ns(2).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::checked;

/// What a clone is asked for.
#[derive(Debug, Default, Clone, Copy)]
pub struct CloneArgs<'fd> {
    /// `CLONE_…` flags: namespaces, and `CLONE_PARENT`.
    pub flags: u64,
    /// The cgroup v2 directory that the child is created in.
    pub cgroup: Option<BorrowedFd<'fd>>,
}

/// Which of the two processes went on after a clone.
#[derive(Debug)]
pub enum ClonedAs {
    /// The new one.
    Child,
    /// The caller, with the number of the child and a descriptor for it.
    Parent {
        /// Number of the child in the caller's pid namespace.
        pid: i32,
        /// Readable once the child has ended.
        pidfd: OwnedFd,
    },
}

/// Says that this process has a single thread; one that has seen so starts none.
#[derive(Debug)]
pub struct Alone(());

impl Alone {
    /// Looks at `/proc`, which has to be that of the process: before it joins the mount namespace of a container.
    ///
    /// # Errors
    /// When there are other threads, or no `/proc`.
    pub fn check() -> io::Result<Self> {
        let threads = rustix::fs::stat("/proc/self/task")?.st_nlink - 2;
        if threads == 1 { Ok(Self(())) } else { Err(io::Error::other(format!("refusing to clone: {threads} threads"))) }
    }

    /// `clone3(2)` in the manner of fork(2).
    ///
    /// # Errors
    /// As clone3(2).
    pub fn clone3(&self, args: CloneArgs<'_>) -> io::Result<ClonedAs> {
        fork(args)
    }
}

/// `clone3(2)` in the manner of fork(2), refused unless this process has a single thread.
///
/// # Errors
/// When there are other threads, or the kernel refuses.
pub fn clone3(args: CloneArgs<'_>) -> io::Result<ClonedAs> {
    Alone::check()?.clone3(args)
}

/// The caller has one thread.
fn fork(args: CloneArgs<'_>) -> io::Result<ClonedAs> {
    let mut pidfd: RawFd = -1;
    // SAFETY: a clone_args of zeroes is valid: it asks for nothing.
    let mut raw: libc::clone_args = unsafe { std::mem::zeroed() };
    raw.flags = args.flags | u64::from(libc::CLONE_PIDFD.unsigned_abs());
    raw.pidfd = (&raw mut pidfd) as u64;
    if args.flags & u64::from(libc::CLONE_PARENT.unsigned_abs()) == 0 {
        raw.exit_signal = u64::from(libc::SIGCHLD.unsigned_abs());
    }
    if let Some(cgroup) = args.cgroup {
        raw.flags |= CLONE_INTO_CGROUP;
        raw.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: no CLONE_VM, so the child has its own copy of this memory and stack; there is one thread, so no lock is
    // held by a thread that the child lacks; the structure and the pidfd outlive the call.
    let cloned = checked(unsafe { libc::syscall(libc::SYS_clone3, &raw mut raw, size_of::<libc::clone_args>()) });
    let pid = match cloned {
        // Filters deny it, since they cannot look into the structure; clone(2) can do all but the cgroup.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) && args.cgroup.is_none() => {
            clone(raw.flags | raw.exit_signal, &raw mut pidfd)?
        }
        cloned => cloned?,
    };
    if pid == 0 {
        return Ok(ClonedAs::Child);
    }
    // SAFETY: the kernel stored a descriptor that nothing else owns, since CLONE_PIDFD was asked for.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(ClonedAs::Parent { pid: i32::try_from(pid).map_err(io::Error::other)?, pidfd })
}

/// `clone(2)` with the arguments of `fork`.
fn clone(flags: u64, pidfd: *mut RawFd) -> io::Result<libc::c_long> {
    let none = std::ptr::null_mut::<libc::c_void>();
    #[cfg(target_arch = "s390x")]
    let (first, second) = (none as u64, flags);
    #[cfg(not(target_arch = "s390x"))]
    let (first, second) = (flags, none as u64);
    // SAFETY: as for clone3(2); without a stack of its own the child goes on with its copy of this one.
    checked(unsafe { libc::syscall(libc::SYS_clone, first, second, pidfd, none, none) })
}

/// Puts the child into the cgroup whose descriptor is given (not in every version of the libc crate).
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Ends this process at once: no destructor, no buffer of the parent is flushed a second time.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(code) }
}

/// `unshare(2)` with `CLONE_NEW…` flags.
///
/// # Errors
/// As unshare(2).
pub fn unshare(flags: u64) -> io::Result<()> {
    // SAFETY: namespaces only; memory, files and signal handlers stay shared within this single-threaded process.
    checked(unsafe { libc::syscall(libc::SYS_unshare, flags) }).map(drop)
}

/// `setns(2)`: `fd` is a namespace or a pidfd, `flags` say which kinds it has to be or which to join.
///
/// # Errors
/// As setns(2).
pub fn setns(fd: BorrowedFd<'_>, flags: u64) -> io::Result<()> {
    // SAFETY: changes the namespaces of this process and touches no memory.
    checked(unsafe { libc::syscall(libc::SYS_setns, fd.as_raw_fd(), flags) }).map(drop)
}

/// The `CLONE_NEW…` flag of the kind of namespace that `fd` refers to. ioctl_ns(2).
///
/// # Errors
/// `ENOTTY` when it is no namespace.
pub fn namespace_kind(fd: BorrowedFd<'_>) -> io::Result<u64> {
    const NS_GET_NSTYPE: libc::Ioctl = 0xb703;
    // SAFETY: this request takes no argument and returns a number.
    let kind = checked(unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_NSTYPE) }.into())?;
    Ok(kind.unsigned_abs())
}
