//! The container's terminal. Specification: `config.md`, `terminal` and `consoleSize`; pty(7).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, Uid};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

use super::beneath::Root;
use super::detached::{attach, clone_opened};
use crate::config::ConsoleSize;
use crate::error::{Context, Result};

/// A pseudoterminal: the runtime's end and the program's.
#[derive(Debug)]
pub struct Console {
    /// What goes to the runtime, or to whom it hands it.
    pub master: OwnedFd,
    /// What becomes standard input, output and error.
    pub slave: OwnedFd,
}

impl Console {
    /// Opens a terminal of the container's own devpts, or of the host's when there is none.
    ///
    /// # Errors
    /// When neither exists, or the kernel refuses.
    pub fn open(root: &Root, host_ptmx: Option<&OwnedFd>, size: Option<ConsoleSize>) -> Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let master = match (root.open_with(Path::new("/dev/pts/ptmx"), flags, ResolveFlags::NO_SYMLINKS), host_ptmx) {
            (Err(_), Some(host)) => rustix::io::fcntl_dupfd_cloexec(host, 3).doing(|| "use the host's ptmx".into())?,
            (opened, _) => opened?,
        };
        rustix::pty::unlockpt(&master).doing(|| "unlock the terminal".into())?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags).doing(|| "open the other end".into())?;
        if let Some(ConsoleSize { height, width }) = size {
            let size = Winsize { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 };
            rustix::termios::tcsetwinsize(&slave, size).doing(|| "set its size".into())?;
        }
        Ok(Self { master, slave })
    }

    /// Shows the terminal at `/dev/console`.
    ///
    /// # Errors
    /// When the place cannot be made, or the kernel refuses.
    pub fn attach(&self, root: &Root) -> Result<()> {
        let place = root.make_file(Path::new("/dev/console"))?;
        attach(clone_opened(self.slave.as_fd(), true)?.as_fd(), place.as_fd())
    }

    /// Makes the terminal standard input, output and error.
    ///
    /// # Errors
    /// As dup(2).
    pub fn connect(&self, owner: u32) -> Result<()> {
        let connecting = || "use the terminal".to_owned();
        rustix::fs::fchown(&self.slave, Some(Uid::from_raw(owner)), None).doing(connecting)?;
        rustix::stdio::dup2_stdin(&self.slave).doing(connecting)?;
        rustix::stdio::dup2_stdout(&self.slave).doing(connecting)?;
        rustix::stdio::dup2_stderr(&self.slave).doing(connecting)
    }
}

/// Makes the terminal on standard input that of the session.
///
/// # Errors
/// As ioctl_tty(2).
pub fn control() -> Result<()> {
    rustix::process::ioctl_tiocsctty(rustix::stdio::stdin()).doing(|| "take the terminal".into())
}

/// The host's ptmx, opened while the host is visible.
pub fn host_ptmx() -> Option<OwnedFd> {
    rustix::fs::open("/dev/ptmx", OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// The size of the terminal `tty`, when it is one.
pub fn size_of(tty: BorrowedFd<'_>) -> Option<Winsize> {
    rustix::termios::tcgetwinsize(tty).ok()
}
