//! One call of a program: started, given input, watched through a pidfd, killed at its deadline; its output is bounded.

use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::system::cgroup;
pub use crate::system::descriptors::{null, wait_readable};
use crate::system::orphans;
use crate::system::sys;

/// What is kept of one stream. A program that prints gigabytes costs no memory.
pub const KEPT: usize = 64 * 1024;

/// How many pieces of 64 KiB are read before the deadline is looked at again: 1 MiB.
const AT_ONCE: usize = 16;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Exit(i32),
    /// It was ended by this signal.
    Signal(i32),
    /// It was still running at its deadline, and was killed.
    Deadline,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Deadline => write!(f, "still running at its deadline"),
        }
    }
}

impl Ended {
    /// What `waitpid(2)` says, if it is an end.
    #[must_use]
    pub fn of(status: WaitStatus) -> Option<Self> {
        match status {
            WaitStatus::Exited(_, code) => Some(Self::Exit(code)),
            WaitStatus::Signaled(_, signal, _) => Some(Self::Signal(signal as i32)),
            _ => None,
        }
    }
}

/// The read end of a pipe, never blocking, of which only so much is kept.
#[derive(Debug)]
pub struct Capture {
    file: Option<std::fs::File>,
    kept: Vec<u8>,
    dropped: u64,
    limit: usize,
}

impl Capture {
    /// Captures up to `limit` bytes from `fd`.
    ///
    /// # Errors
    /// When the descriptor cannot be made non-blocking.
    pub fn new(fd: OwnedFd, limit: usize) -> io::Result<Self> {
        set_nonblocking(&fd)?;
        Ok(Self { file: Some(fd.into()), kept: Vec::new(), dropped: 0, limit })
    }

    /// A pipe whose write end is for the program.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn pipe(limit: usize) -> io::Result<(Self, OwnedFd)> {
        let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        Ok((Self::new(read, limit)?, write))
    }

    /// The descriptor to wait on, until end-of-file.
    #[must_use]
    pub fn fd(&self) -> Option<&std::fs::File> {
        self.file.as_ref()
    }

    /// Reads what is there now; past the limit it is dropped and counted. Who writes as fast as this reads does not keep it from
    /// its deadline: after as much as the largest pipe holds it comes back.
    pub fn drain(&mut self) {
        let mut buffer = [0; 64 * 1024];
        for _ in 0..AT_ONCE {
            let Some(file) = &mut self.file else { return };
            match file.read(&mut buffer) {
                Ok(0) => self.file = None,
                Ok(count) => self.keep(&buffer[..count]),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return,
                // A terminal whose other side is gone reads as EIO: that is its end-of-file.
                Err(_) => self.file = None,
            }
        }
    }

    /// Reads once, and so much at most.
    pub fn sip(&mut self, most: usize) {
        let mut buffer = vec![0; most];
        let Some(file) = &mut self.file else { return };
        match file.read(&mut buffer) {
            Ok(0) => self.file = None,
            Ok(count) => self.keep(&buffer[..count]),
            Err(why) if matches!(why.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
            Err(_) => self.file = None,
        }
    }

    /// Reads nothing more.
    pub fn close(&mut self) {
        self.file = None;
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        self.dropped += (bytes.len() - room) as u64;
    }

    /// What was kept, for taking parts out of it.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.kept
    }

    /// What was kept, as text, with a note of what was dropped.
    #[must_use]
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.kept);
        if self.dropped == 0 { text.into_owned() } else { format!("{text}… ({} bytes more)", self.dropped) }
    }
}

/// Lets reads return at once when there is nothing to read.
///
/// # Errors
/// When the descriptor refuses.
pub fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
    fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// How often a waiting call looks for orphans.
const LOOK_UP: Duration = Duration::from_millis(50);

/// A program that was started and has not been waited for.
#[derive(Debug)]
pub struct Running {
    pid: Pid,
    pidfd: OwnedFd,
    started: Instant,
}

/// A call that ended.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub ended: Ended,
    /// After how long.
    pub took: Duration,
}

impl Running {
    /// Starts a program in directory `dir`, with an environment of its own and these descriptors from number 0 on.
    ///
    /// # Errors
    /// When the program cannot be executed.
    pub fn start(argv: &[OsString], env: &[(OsString, OsString)], dir: &Path, fds: Vec<OwnedFd>) -> io::Result<Self> {
        let text = |text: &OsStr| CString::new(text.as_bytes()).map_err(io::Error::from);
        let argv = argv.iter().map(|arg| text(arg)).collect::<io::Result<Vec<_>>>()?;
        let pair = |(name, value): &(OsString, OsString)| text(&[name.as_os_str(), value].join(OsStr::new("=")));
        let env = env.iter().map(pair).collect::<io::Result<Vec<_>>>()?;
        if argv.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let started = Instant::now();
        let pid = sys::spawn(&sys::Program { argv: &argv, env: &env, dir: &text(dir.as_os_str())?, fds: &fds })?;
        // Only the program holds them now, so that their other ends see it end.
        drop(fds);
        orphans::spare(pid);
        let pidfd = sys::pidfd_open(pid)?;
        Ok(Self { pid, pidfd, started })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Readable once it has ended.
    #[must_use]
    pub fn pidfd(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// Waits for its end, reading the captures meanwhile so that it never blocks on a full pipe. At the deadline it is
    /// killed.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn finish(self, captures: &mut [&mut Capture], deadline: Instant) -> io::Result<Finished> {
        let ended = loop {
            let mut fds = vec![self.pidfd.as_fd()];
            fds.extend(captures.iter().filter_map(|capture| capture.fd().map(AsFd::as_fd)));
            // Look up now and then: a runtime may wait for one of its own that only we can reap.
            let ready = wait_readable(&fds, deadline.min(Instant::now() + LOOK_UP))?;
            if !ready {
                orphans::reap()?;
            }
            let in_time = ready || Instant::now() < deadline;
            captures.iter_mut().for_each(|capture| capture.drain());
            if let Some(ended) = Ended::of(waitpid(self.pid, Some(WaitPidFlag::WNOHANG))?) {
                break ended;
            }
            if !in_time {
                kill(self.pid, Signal::SIGKILL)?;
                // One that is frozen does not die before it is thawed.
                cgroup::thaw_own()?;
                waitpid(self.pid, None)?;
                break Ended::Deadline;
            }
        };
        // What it wrote just before its end is in the pipes now.
        captures.iter_mut().for_each(|capture| capture.drain());
        Ok(Finished { ended, took: self.started.elapsed() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, limit: Duration) -> (Finished, String) {
        let (mut capture, write) = Capture::pipe(KEPT).unwrap();
        let argv = ["/bin/sh", "-c", script].map(OsString::from);
        let running =
            Running::start(&argv, &[], Path::new("/"), vec![null().unwrap(), write, null().unwrap()]).unwrap();
        let finished = running.finish(&mut [&mut capture], Instant::now() + limit).unwrap();
        (finished, capture.text())
    }

    #[test]
    fn exit_signal_and_deadline_are_told_apart() {
        let long = Duration::from_secs(20);
        assert_eq!(run("exit 3", long).0.ended, Ended::Exit(3));
        assert_eq!(run("kill -9 $$", long).0.ended, Ended::Signal(9));
        assert_eq!(run("while :; do :; done", Duration::from_millis(5)).0.ended, Ended::Deadline);
    }

    #[test]
    fn output_is_bounded() {
        let (finished, text) = run("head -c 3000000 /dev/zero | tr '\\0' x", Duration::from_secs(20));
        assert_eq!(finished.ended, Ended::Exit(0));
        assert_eq!(text.len(), KEPT + format!("… ({} bytes more)", 3_000_000 - KEPT).len());
    }

    #[test]
    fn output_without_end_ends_at_the_deadline() {
        let (finished, text) = run("exec yes", Duration::from_millis(300));
        assert_eq!(finished.ended, Ended::Deadline);
        assert!(finished.took < Duration::from_secs(20) && text.len() < KEPT + 100, "{} bytes", text.len());
    }

    #[test]
    fn a_background_child_that_keeps_the_pipe_does_not_hold_up_the_call() {
        let (finished, text) = run("sleep 600 & echo $!", Duration::from_secs(20));
        assert_eq!(finished.ended, Ended::Exit(0));
        let pid = Pid::from_raw(text.trim().parse().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    }
}
