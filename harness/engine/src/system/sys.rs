//! System calls that no other crate wraps safely. All `unsafe` code is in files of this name.
#![expect(unsafe_code, reason = "raw system calls; each block says why it is sound")]

use std::ffi::{CStr, CString};
use std::io::{self, Write};
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

use nix::sched::CloneFlags;
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

/// Undoes what the caller of this program may have set for it: descriptors beside the standard streams go to no program that
/// is executed, since a runtime may hand them on, and the end of a child can be waited for. A kernel before 5.11 cannot do
/// the first, and then they are handed on.
pub fn forget_the_caller() {
    // SAFETY: nothing is closed, for the flag counts when a program is executed; the default disposition is no code of ours.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
}

/// Says a line on standard error. That it is closed, or full, is no reason to end.
pub fn tell(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
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

/// Sets the loopback interface of this network namespace up, as it is on any host.
///
/// # Errors
/// When the kernel refuses.
pub fn loopback_up() -> io::Result<()> {
    let socket = nix::sys::socket::socket(
        nix::sys::socket::AddressFamily::Inet,
        nix::sys::socket::SockType::Datagram,
        nix::sys::socket::SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    // SAFETY: the structure holds integers and bytes, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(c"lo".to_bytes()) {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or(0);
    // SAFETY: the structure is the one that this request reads, and outlives the call.
    checked(libc::c_long::from(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) }))
        .map(drop)
}

/// A program to execute, with everything that the kernel wants to be told of it.
#[derive(Debug)]
pub struct Program<'p> {
    /// What to execute and its arguments.
    pub argv: &'p [CString],
    /// Its environment, as `NAME=value`.
    pub env: &'p [CString],
    /// Its current directory.
    pub dir: &'p CStr,
    /// Its descriptors from number 0 on; it gets no others that are not meant to outlive `exec`.
    pub fds: &'p [OwnedFd],
}

/// Starts a program without copying this process, which is suspended until the program has been executed: a copy would
/// cost more than all else that a check does. glibc's `posix_spawn` does the same, but leaves the program with signals 32
/// and 33 ignored, which a runtime would hand on to the container.
///
/// # Errors
/// What `chdir(2)` or `execve(2)` said.
pub fn spawn(program: &Program<'_>) -> io::Result<Pid> {
    let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
        texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, env) = (pointers(program.argv), pointers(program.env));
    let failed = AtomicI32::new(0);
    let child = || {
        failed.store(execute(program, &argv, &env), Ordering::SeqCst);
        127
    };
    let mut stack = vec![0_u8; 64 * 1024];
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: the child has a stack of its own, and until it is gone from this memory this thread, the only one that
    // could see it half done, is suspended. It allocates nothing and takes no lock.
    let pid = unsafe { nix::sched::clone(Box::new(child), &mut stack, flags, Some(libc::SIGCHLD)) }?;
    match failed.load(Ordering::SeqCst) {
        0 => Ok(pid),
        code => {
            nix::sys::wait::waitpid(pid, None)?;
            Err(io::Error::from_raw_os_error(code))
        }
    }
}

/// Becomes the program; returns only the error number of what failed. System calls on memory that was made before.
fn execute(program: &Program<'_>, argv: &[*const libc::c_char], env: &[*const libc::c_char]) -> i32 {
    let room = i32::try_from(program.fds.len()).unwrap_or(i32::MAX);
    let mut away = [-1; 32];
    // SAFETY: plain integers, and pointers to null-terminated arrays of null-terminated strings that the caller holds. What
    // the kernel is told of a signal is all zero: no handler, no flags, no mask.
    unsafe {
        // This program ignores SIGPIPE, as every program in Rust does, and whoever started it may have left others ignored or
        // blocked, as nohup(1) and posix_spawn do; the other is not to inherit that. libc keeps two of them to itself.
        let (default, nothing) = ([0_u64; 4], 0_u64);
        for signal in 1..=64 {
            libc::syscall(libc::SYS_rt_sigaction, signal, &raw const default, std::ptr::null_mut::<u64>(), 8);
        }
        let set = libc::SIG_SETMASK;
        libc::syscall(libc::SYS_rt_sigprocmask, set, &raw const nothing, std::ptr::null_mut::<u64>(), 8);
        // First out of the way, so that none is overwritten before it is in place.
        for (fd, away) in program.fds.iter().zip(&mut away) {
            *away = libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, room);
        }
        for (fd, number) in away.into_iter().take(program.fds.len()).zip(0..) {
            // What was at this number is the caller's, in a table of descriptors that is not the caller's any more.
            if libc::dup2(fd, number) < 0 {
                return *libc::__errno_location();
            }
        }
        if libc::chdir(program.dir.as_ptr()) == 0 {
            libc::execve(argv[0], argv.as_ptr(), env.as_ptr());
        }
        *libc::__errno_location()
    }
}

/// Closes every descriptor beside the standard streams and these. For a process that ends without dropping what it has
/// inherited from its parent. A kernel before 5.9 cannot do it, and then they stay open.
///
/// # Errors
/// When the kernel refuses.
pub fn close_all_but(kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut kept: Vec<u32> = kept.iter().map(|fd| fd.as_raw_fd().cast_unsigned()).collect();
    kept.sort_unstable();
    let mut first = 3;
    for end in kept.into_iter().filter(|fd| *fd > 2) {
        if first < end {
            close_range(first, end - 1)?;
        }
        first = end + 1;
    }
    close_range(first, u32::MAX)
}

fn close_range(first: u32, last: u32) -> io::Result<()> {
    // SAFETY: plain integers; whatever owned these descriptors belongs to the parent, and is never used here.
    match checked(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }) {
        Err(why) if why.raw_os_error() != Some(libc::ENOSYS) => Err(why),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Puts `/dev/null` in the place of the standard streams: a runtime that finds this process in `/proc` is not to write to
/// the user's terminal.
///
/// # Errors
/// When there is no `/dev/null`.
pub fn forget_streams() -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    Ok(nix::unistd::dup2_stderr(&null)?)
}

/// Random bytes that nobody can guess: getrandom(2).
///
/// # Errors
/// When the kernel has none yet and the wait for them is interrupted.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: the kernel writes at most as many bytes as there are.
    let got = checked(unsafe { libc::syscall(libc::SYS_getrandom, bytes.as_mut_ptr(), N, 0) })?;
    if usize::try_from(got).is_ok_and(|got| got == N) { Ok(bytes) } else { Err(io::ErrorKind::Interrupted.into()) }
}

/// Asks for memory of the node that runs the program, for this process and those that it will start.
///
/// # Errors
/// On a kernel without memory policies.
pub fn prefer_local_memory() -> io::Result<()> {
    set_mempolicy(libc::MPOL_LOCAL, 0)
}

/// `set_mempolicy(2)` with these nodes, one a bit, for this process and those that it will start.
///
/// # Errors
/// When the kernel has no such mode, or no memory policies.
pub fn set_mempolicy(mode: i32, nodes: u64) -> io::Result<()> {
    // The kernel takes one bit less than it is told.
    let size = if nodes == 0 { 0 } else { u64::BITS + 1 };
    let nodes = if nodes == 0 { std::ptr::null() } else { &raw const nodes };
    // SAFETY: without a size nothing is read through the pointer, else the bits of one number that lives as long as the call.
    checked(unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, nodes, size) }).map(drop)
}

/// `mount_setattr(2)` of a mount and all below it.
///
/// # Errors
/// When the kernel does not take these attributes.
pub fn mount_setattr(mount: impl AsFd, set: u64, clear: u64) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: clear, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    let (mount, size) = (mount.as_fd().as_raw_fd(), size_of::<libc::mount_attr>());
    // SAFETY: the path is empty, and the structure is as large as the size that is told.
    checked(unsafe { libc::syscall(libc::SYS_mount_setattr, mount, c"".as_ptr(), flags, &raw const attributes, size) })
        .map(drop)
}

/// Takes ownership of a descriptor that the kernel has just put into this process, as `SCM_RIGHTS` does.
#[must_use]
pub fn adopt(fd: RawFd) -> OwnedFd {
    // SAFETY: called once for each descriptor that a message brought; nobody else knows of it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Lets SIGINT, SIGTERM and SIGHUP set `flag` instead of ending this process, so that a run can clean up and report. SIGHUP
/// stays ignored for a caller that ignores it, as nohup(1) does. A file that grows beyond the limit of the caller
/// (`ulimit -f`) is an error from now on, and no longer the end of this process.
///
/// # Errors
/// When the kernel refuses the handler.
pub fn on_interrupt(flag: &'static AtomicBool) -> io::Result<()> {
    FLAG.store(std::ptr::from_ref(flag).cast_mut(), Ordering::SeqCst);
    let handler = nix::sys::signal::SigHandler::Handler(note_interrupt);
    // Whoever waits in `poll(2)` is woken; no other system call fails for the signal, in the middle of a set-up.
    let action = nix::sys::signal::SigAction::new(handler, SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler does nothing but one atomic store.
        let before = unsafe { nix::sys::signal::sigaction(signal, &action) }?;
        if signal == Signal::SIGHUP && matches!(before.handler(), nix::sys::signal::SigHandler::SigIgn) {
            // SAFETY: this is what was there.
            unsafe { nix::sys::signal::sigaction(signal, &before) }?;
        }
    }
    let nothing = nix::sys::signal::SigHandler::Handler(do_nothing);
    let nothing = nix::sys::signal::SigAction::new(nothing, SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler does nothing. An ignored signal would be handed on to the runtime, a handler is not.
    unsafe { nix::sys::signal::sigaction(Signal::SIGXFSZ, &nothing) }?;
    Ok(())
}

/// Whether one of those signals was received.
#[must_use]
pub fn is_interrupted() -> bool {
    let flag = FLAG.load(Ordering::SeqCst);
    // SAFETY: it is null or came from a `&'static AtomicBool`.
    unsafe { flag.as_ref() }.is_some_and(|flag| flag.load(Ordering::SeqCst))
}

extern "C" fn do_nothing(_signal: libc::c_int) {}

static FLAG: AtomicPtr<AtomicBool> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn note_interrupt(_signal: libc::c_int) {
    let flag = FLAG.load(Ordering::SeqCst);
    // SAFETY: it is null or came from a `&'static AtomicBool`.
    if let Some(flag) = unsafe { flag.as_ref() } {
        flag.store(true, Ordering::SeqCst);
    }
}

const LOOP_CTL_GET_FREE: libc::c_ulong = 0x4c82;
const LOOP_CONFIGURE: libc::c_ulong = 0x4c0a;
/// The device is free again as soon as nobody has it open.
const LO_FLAGS_AUTOCLEAR: u32 = 4;
/// Sizes of `struct loop_config`, in 32-bit words, and the place of the flags in it: loop(4).
const LOOP_CONFIG_WORDS: usize = 76;
const LOOP_CONFIG_FLAGS: usize = 15;

/// The number of a loop device that nobody uses at this time.
///
/// # Errors
/// When the kernel has none to give.
pub fn loop_get_free(control: BorrowedFd<'_>) -> io::Result<libc::c_long> {
    // SAFETY: the request takes no argument and returns a number.
    checked(libc::c_long::from(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) }))
}

/// Lets a loop device show a file until both are closed.
///
/// # Errors
/// `EBUSY` when somebody was faster.
pub fn loop_configure(device: BorrowedFd<'_>, file: BorrowedFd<'_>) -> io::Result<()> {
    let mut config = [0_u32; LOOP_CONFIG_WORDS];
    config[0] = file.as_raw_fd().cast_unsigned();
    config[LOOP_CONFIG_FLAGS] = LO_FLAGS_AUTOCLEAR;
    // SAFETY: the kernel reads a structure of exactly this size.
    let done = unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE, config.as_ptr()) };
    checked(libc::c_long::from(done)).map(drop)
}

/// Detaches the loop device of this number from its file.
///
/// # Errors
/// When there is no such device, or it shows nothing.
pub fn loop_clear(number: u32) -> io::Result<()> {
    let device = std::fs::File::open(format!("/dev/loop{number}"))?;
    // SAFETY: the request takes no argument.
    checked(libc::c_long::from(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CLR_FD) })).map(drop)
}

const LOOP_CLR_FD: libc::c_ulong = 0x4c01;

/// The wall clock minus the time since boot, in milliseconds: it changes only when somebody sets the clock.
///
/// # Errors
/// When a clock cannot be read.
pub fn wall_clock_offset_ms() -> io::Result<i64> {
    let now = |clock| nix::time::clock_gettime(clock).map(|time| time.tv_sec() * 1000 + time.tv_nsec() / 1_000_000);
    Ok(now(nix::time::ClockId::CLOCK_REALTIME)? - now(nix::time::ClockId::CLOCK_BOOTTIME)?)
}

/// Moves the wall clock by so many milliseconds.
///
/// # Errors
/// When this process may not set it.
pub fn move_wall_clock(by_ms: i64) -> io::Result<()> {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_REALTIME)?;
    let step = nix::sys::time::TimeSpec::from(std::time::Duration::from_millis(by_ms.unsigned_abs()));
    let moved = if by_ms < 0 { now - step } else { now + step };
    Ok(nix::time::clock_settime(nix::time::ClockId::CLOCK_REALTIME, moved)?)
}

/// The length of the kernel's tick in microseconds, after it was set to one that is given: adjtimex(2).
///
/// # Errors
/// When this process may not set it.
pub fn clock_tick(set: Option<libc::c_long>) -> io::Result<libc::c_long> {
    // SAFETY: zeroes are a valid `timex`, one that sets nothing.
    let mut timex: libc::timex = unsafe { std::mem::zeroed() };
    if let Some(tick) = set {
        timex.modes = libc::ADJ_TICK;
        timex.tick = tick;
    }
    // SAFETY: the kernel reads and writes one `timex`.
    checked(libc::c_long::from(unsafe { libc::adjtimex(&raw mut timex) })).map(|_| timex.tick)
}

/// The first two numbers of a release, such as `6.12.1-amd64`.
pub(crate) fn kernel_version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Gives this process a session keyring that nobody else has, and returns its serial number: keyctl(2).
///
/// # Errors
/// When the kernel has no keys, or a filter of the host forbids the call.
pub fn join_session_keyring() -> io::Result<libc::c_long> {
    const NO_NAME: *const libc::c_char = std::ptr::null();
    // SAFETY: a null pointer for the name makes a keyring without one.
    checked(unsafe { libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, NO_NAME) })
}

/// Sets the nice value of this process, which its children start with; see setpriority(2).
///
/// # Errors
/// The errno: a lower value takes a right.
pub fn set_nice(value: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    checked(libc::c_long::from(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value) })).map(drop)
}
