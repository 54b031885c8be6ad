//! Signals by number (rustix knows no real-time ones), their disposition, and signalfd(2).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::checked;

/// `pidfd_send_signal(2)`.
///
/// # Errors
/// As pidfd_send_signal(2).
pub fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    let info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo asks for the one that kill(2) would make.
    checked(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), signal, info, 0) }).map(drop)
}

/// Gives `signals` their default action.
pub fn default_signals(signals: impl IntoIterator<Item = i32>) {
    for signal in signals {
        // SAFETY: the default action runs no code of this process. A number that cannot be changed is left alone.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Signals that end no process by default.
const HARMLESS: [i32; 7] =
    [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Every signal whose action can be chosen.
fn changeable() -> impl Iterator<Item = i32> {
    // Those between belong to the C library.
    let all = (1..=libc::SIGSYS).chain(libc::SIGRTMIN()..=libc::SIGRTMAX());
    all.filter(|signal| !matches!(*signal, libc::SIGKILL | libc::SIGSTOP))
}

/// Undoes that the caller ignores signals: over execve(2) they would stay so. What this process still needs, that it is told of a
/// closed pipe by an error, comes last.
pub fn heed_signals() {
    default_signals(changeable().filter(|signal| *signal != libc::SIGPIPE));
}

/// Lets every signal that would end an ordinary process end this one, also where it is the first of a pid namespace,
/// which default actions do not touch. None is ignored any more; execve(2) brings the defaults back. signal(7),
/// pid_namespaces(7).
pub fn end_by_signals() {
    default_signals(HARMLESS);
    for signal in changeable().filter(|signal| !HARMLESS.contains(signal) && *signal != libc::SIGPIPE) {
        // SAFETY: the handler only calls `_exit`, which is allowed in one.
        unsafe { libc::signal(signal, end as *const () as libc::sighandler_t) };
    }
}

/// Ends this process with the exit code that a shell would give to one that died of the signal.
extern "C" fn end(signal: libc::c_int) {
    super::exit_now(128 + signal)
}

/// Blocks every signal of this thread, so that a [`SignalFd`] receives them.
///
/// # Errors
/// As sigprocmask(2).
pub fn block_all_signals() -> io::Result<()> {
    set_mask(&full_set())
}

/// Lets every signal through again.
///
/// # Errors
/// As sigprocmask(2).
pub fn unblock_all_signals() -> io::Result<()> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set.
    set_mask(&unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    })
}

fn full_set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigfillset initialises the set.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        set.assume_init()
    }
}

fn set_mask(set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set is initialised; the old one is not asked for.
    checked(unsafe { libc::sigprocmask(libc::SIG_SETMASK, set, std::ptr::null_mut()) }.into()).map(drop)
}

/// Blocked signals, read as data. signalfd(2).
#[derive(Debug)]
pub struct SignalFd(OwnedFd);

impl SignalFd {
    /// A descriptor that all signals can be read from.
    ///
    /// # Errors
    /// As signalfd(2).
    pub fn new() -> io::Result<Self> {
        // SAFETY: the set is initialised, and -1 asks for a new descriptor.
        let fd = checked(unsafe { libc::signalfd(-1, &full_set(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) }.into())?;
        // SAFETY: the kernel just made this descriptor for us.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(i32::try_from(fd).map_err(io::Error::other)?) }))
    }

    /// The next signal that arrived, if any.
    ///
    /// # Errors
    /// As read(2), other than that there is none.
    pub fn next(&self) -> io::Result<Option<i32>> {
        let mut info = [0_u8; size_of::<libc::signalfd_siginfo>()];
        match rustix::io::read(&self.0, &mut info) {
            Ok(_) => Ok(Some(i32::from_ne_bytes([info[0], info[1], info[2], info[3]]))),
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
