//! The receiving end of `--console-socket` and `--pidfd-socket`: the runtime sends the master of the terminal, or a pidfd.

use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{OpenptyResult, Winsize, openpty};
use plimsoll_foreign::read;

use crate::runtime::judgement::{StepResult, Stop};
use crate::system::descriptors::{receive, wait_readable};

/// Both sides of a new terminal, which only those hold who are given one: a runtime that held the caller's side would not see it
/// close.
///
/// # Errors
/// When there are no terminals left.
pub(crate) fn terminal(size: Option<&Winsize>) -> nix::Result<OpenptyResult> {
    let terminal = openpty(size, None)?;
    for side in [&terminal.master, &terminal.slave] {
        fcntl(side, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    Ok(terminal)
}

/// A console socket, bound and waiting.
#[derive(Debug)]
pub struct Console {
    listener: UnixListener,
    path: PathBuf,
}

impl Console {
    /// Binds `path`.
    ///
    /// # Errors
    /// When the path is taken or too long for a socket (107 bytes).
    pub fn bind(path: &Path) -> StepResult<Self> {
        let listener = UnixListener::bind(path).map_err(Stop::error("bind the console socket"))?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// What to pass as `--console-socket`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether somebody has connected.
    ///
    /// # Errors
    /// When the socket cannot be looked at.
    pub fn was_called(&self) -> StepResult<bool> {
        Ok(wait_readable(&[&self.listener], Instant::now())?)
    }

    /// Takes the terminal that the runtime has sent.
    ///
    /// # Errors
    /// [`Stop::Broken`] when nothing comes in time, or something else than one terminal.
    pub fn receive(&self, deadline: Instant) -> StepResult<OwnedFd> {
        let terminal = self.take("the console socket", "one terminal is sent", deadline)?;
        if nix::unistd::isatty(&terminal).unwrap_or(false) {
            Ok(terminal)
        } else {
            Err(Stop::broken("the console socket", "one terminal is sent", "a descriptor that is no terminal"))
        }
    }

    /// Takes the pidfd that the runtime has sent, and says which process it is of.
    ///
    /// # Errors
    /// [`Stop::Broken`] when nothing comes in time, or something else than one pidfd.
    pub fn receive_process(&self, deadline: Instant) -> StepResult<i32> {
        let (what, wanted) = ("the pidfd socket", "one descriptor of a process is sent");
        let pidfd = self.take(what, wanted, deadline)?;
        let known = read::kernel(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()));
        let known = known.map_err(|why| Stop::Error(format!("look at a descriptor: {why}")))?;
        let pid = known.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
        pid.ok_or_else(|| Stop::broken(what, wanted, "a descriptor of something else"))
    }

    fn take(&self, what: &str, wanted: &str, deadline: Instant) -> StepResult<OwnedFd> {
        let missing = |seen: &str| Stop::broken(what, wanted, seen);
        if !wait_readable(&[&self.listener], deadline)? {
            return Err(missing("nobody connected"));
        }
        let (stream, _) = self.listener.accept()?;
        if !wait_readable(&[&stream], deadline)? {
            return Err(missing("connected, and nothing sent"));
        }
        let (_, mut fds) = receive(stream.as_raw_fd())?;
        match (fds.pop(), fds.len()) {
            (Some(fd), 0) => Ok(fd),
            (Some(_), more) => Err(missing(&format!("{} descriptors", more + 1))),
            (None, _) => Err(missing("a message without a descriptor")),
        }
    }
}
