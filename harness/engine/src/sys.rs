//! The system calls that no crate of ours wraps safely. Every `unsafe` of the engine is here.
#![expect(unsafe_code, reason = "raw system calls; each block says why it is sound")]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use nix::sys::signal::{SaFlags, SigSet, Signal};
use nix::unistd::{ForkResult, Pid};

/// Turns the `-1` of a system call into the error that `errno` holds.
fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// `fork(2)`, refused unless this process has a single thread: only then may the child go on as any program.
///
/// # Errors
/// When there are other threads, or the kernel refuses.
pub fn fork() -> io::Result<ForkResult> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads != 1 {
        return Err(io::Error::other(format!("refusing to fork: {threads} threads")));
    }
    // SAFETY: one thread means that no lock can be held by a thread that the child lacks.
    unsafe { nix::unistd::fork() }.map_err(io::Error::from)
}

/// Ends this process at once: no destructor, no buffer of the parent is flushed a second time.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(code) }
}

/// `pidfd_open(2)`: readable once the process has ended.
///
/// # Errors
/// `ESRCH` when there is no such process.
pub fn pidfd_open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: plain integers in, a new descriptor out.
    let fd = checked(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) })?;
    // SAFETY: the kernel has just made this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(RawFd::try_from(fd).unwrap_or(-1)) })
}

/// Sends a signal through a pidfd, so that it cannot hit another process.
///
/// # Errors
/// `ESRCH` when the process has ended.
pub fn pidfd_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    let none = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the descriptor is open for the borrow; a null siginfo is allowed.
    checked(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, none, 0) }).map(drop)
}

const NS_GET_USERNS: libc::c_ulong = 0xb701;
const NS_GET_PARENT: libc::c_ulong = 0xb702;
const NS_GET_NSTYPE: libc::c_ulong = 0xb703;

/// The namespace that owns (`NS_GET_USERNS`) the one behind `ns`.
///
/// # Errors
/// `EPERM` when the owner is outside of what this process may see.
pub fn owning_user_namespace(ns: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    related_namespace(ns, NS_GET_USERNS)
}

/// The parent of a hierarchical (user or pid) namespace.
///
/// # Errors
/// `EPERM` when the parent is outside of what this process may see, `EINVAL` for other types.
pub fn parent_namespace(ns: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    related_namespace(ns, NS_GET_PARENT)
}

fn related_namespace(ns: BorrowedFd<'_>, request: libc::c_ulong) -> io::Result<OwnedFd> {
    // SAFETY: these requests take no argument and give a new descriptor.
    let fd = checked(libc::c_long::from(unsafe { libc::ioctl(ns.as_raw_fd(), request) }))?;
    // SAFETY: as above, it is ours alone.
    Ok(unsafe { OwnedFd::from_raw_fd(RawFd::try_from(fd).unwrap_or(-1)) })
}

/// The type of a namespace as its `CLONE_NEW*` flag.
///
/// # Errors
/// `ENOTTY` when the descriptor is no namespace.
pub fn namespace_type(ns: BorrowedFd<'_>) -> io::Result<i64> {
    // SAFETY: the request takes no argument.
    checked(libc::c_long::from(unsafe { libc::ioctl(ns.as_raw_fd(), NS_GET_NSTYPE) }))
}

/// Scheduling attributes as `sched_getattr(2)` gives them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[expect(missing_docs, reason = "the names are those of sched_getattr(2)")]
pub struct SchedAttr {
    pub size: u32,
    pub policy: u32,
    pub flags: u64,
    pub nice: i32,
    pub priority: u32,
    pub runtime: u64,
    pub deadline: u64,
    pub period: u64,
}

/// `sched_getattr(2)`.
///
/// # Errors
/// `ESRCH` when there is no such process.
pub fn sched_getattr(pid: Pid) -> io::Result<SchedAttr> {
    let mut attr = SchedAttr::default();
    let size = u32::try_from(size_of::<SchedAttr>()).unwrap_or(0);
    // SAFETY: the structure is at least as large as the size that is told, and holds only integers.
    checked(unsafe { libc::syscall(libc::SYS_sched_getattr, pid.as_raw(), &raw mut attr, size, 0) })?;
    Ok(attr)
}

/// `ioprio_get(2)` of one process: class in the bits above 13, level below.
///
/// # Errors
/// `ESRCH` when there is no such process.
pub fn ioprio_get(pid: Pid) -> io::Result<i64> {
    const WHO_PROCESS: i32 = 1;
    // SAFETY: plain integers.
    checked(unsafe { libc::syscall(libc::SYS_ioprio_get, WHO_PROCESS, pid.as_raw()) })
}

/// Asks the kernel to send SIGKILL to this process when its parent ends, and checks that it has not ended already.
///
/// # Errors
/// When the parent is no longer `parent`.
pub fn die_with(parent: Pid) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    let now = nix::unistd::getppid();
    // A parent outside of this pid namespace reads as 0.
    if now == parent || now.as_raw() == 0 { Ok(()) } else { Err(io::Error::other("the parent has ended")) }
}

/// Lets a program end when the thread that starts it does, however that ends.
pub fn end_with_this_thread(command: &mut Command) {
    let parent = nix::unistd::getpid();
    // SAFETY: between fork and exec the closure makes system calls on plain integers, and nothing else.
    unsafe { command.pre_exec(move || die_with(parent)) };
}

/// The terminal of a descriptor made raw: bytes pass unchanged, nothing is echoed.
///
/// # Errors
/// When the descriptor is no terminal.
pub fn make_raw(fd: impl AsFd) -> io::Result<()> {
    let mut settings = nix::sys::termios::tcgetattr(&fd)?;
    nix::sys::termios::cfmakeraw(&mut settings);
    nix::sys::termios::tcsetattr(&fd, nix::sys::termios::SetArg::TCSANOW, &settings)?;
    Ok(())
}

/// Gives a program descriptors from number 3 on.
pub fn hand_down(command: &mut Command, fds: Vec<OwnedFd>) {
    let place = move || {
        // First out of the way, so that none is overwritten before it is in place.
        let room = RawFd::try_from(3 + fds.len()).unwrap_or(RawFd::MAX);
        let mut from = [-1; 16];
        for (fd, from) in fds.iter().zip(&mut from) {
            // SAFETY: plain integers; the descriptor is open as long as the closure owns it.
            *from =
                RawFd::try_from(checked(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, room) }.into())?)
                    .unwrap_or(-1);
        }
        for (from, number) in from.into_iter().take(fds.len()).zip(3..) {
            // SAFETY: as above. What was at `number` is closed by exec anyway: all of ours is.
            checked(unsafe { libc::dup2(from, number) }.into())?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls on plain integers, and nothing else.
    unsafe { command.pre_exec(place) };
}

/// Takes ownership of a descriptor that the kernel has just put into this process, as `SCM_RIGHTS` does.
#[must_use]
pub fn adopt(fd: RawFd) -> OwnedFd {
    // SAFETY: called once for each descriptor that a message brought; nobody else knows of it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Lets SIGINT and SIGTERM set `flag` instead of ending this process, so that a run can tidy up and report.
///
/// # Errors
/// When the kernel refuses the handler.
pub fn on_interrupt(flag: &'static AtomicBool) -> io::Result<()> {
    FLAG.store(std::ptr::from_ref(flag).cast_mut(), Ordering::SeqCst);
    let handler = nix::sys::signal::SigHandler::Handler(note_interrupt);
    let action = nix::sys::signal::SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // SAFETY: the handler does nothing but one atomic store.
        unsafe { nix::sys::signal::sigaction(signal, &action) }?;
    }
    Ok(())
}

static FLAG: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn note_interrupt(_signal: libc::c_int) {
    let flag = FLAG.load(Ordering::SeqCst);
    // SAFETY: it is null or came from a `&'static AtomicBool`.
    if let Some(flag) = unsafe { flag.as_ref() } {
        flag.store(true, Ordering::SeqCst);
    }
}
