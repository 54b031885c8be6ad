//! Waits, and reaps whatever ends at once: a zombie that is not reaped makes some runtimes wait for seconds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use plimsoll_engine::process::{Ended, wait_readable};
use plimsoll_engine::sys::is_interrupted;

use crate::clock::now;
use crate::sys;

/// How long an interruption may go unseen: longer than an operation takes that is worth measuring.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// The only one in this process that waits for children. There may be one at a time.
#[derive(Debug)]
pub struct Watch {
    ends: File,
    _write_end: OwnedFd,
    ended: BTreeMap<Pid, (Ended, Duration)>,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// When the kernel refuses the signal handler.
    pub fn new() -> io::Result<Self> {
        let (ends, write_end) = sys::on_child_end()?;
        Ok(Self { ends: ends.into(), _write_end: write_end, ended: BTreeMap::new() })
    }

    /// How and when a child ended; at the deadline it is killed.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn end_of(&mut self, pid: Pid, deadline: Instant) -> io::Result<(Ended, Duration)> {
        loop {
            self.reap()?;
            if let Some(end) = self.ended.remove(&pid) {
                return Ok(end);
            }
            if !self.wait(&[], deadline)? {
                kill(pid, Signal::SIGKILL)?;
                waitpid(pid, None)?;
                return Ok((Ended::Deadline, now()));
            }
        }
    }

    /// The first of these children to end; `None` at the deadline.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn first_of(&mut self, pids: &[Pid], deadline: Instant) -> io::Result<Option<(Pid, Ended, Duration)>> {
        loop {
            self.reap()?;
            if let Some((pid, (ended, at))) = pids.iter().find_map(|pid| self.ended.remove_entry(pid)) {
                return Ok(Some((pid, ended, at)));
            }
            if !self.wait(&[], deadline)? {
                return Ok(None);
            }
        }
    }

    /// When a descriptor became readable; `None` at the deadline.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn readable(&mut self, fd: BorrowedFd<'_>, deadline: Instant) -> io::Result<Option<Duration>> {
        loop {
            self.reap()?;
            if wait_readable(&[fd], Instant::now())? {
                return Ok(Some(now()));
            }
            if !self.wait(&[fd], deadline)? {
                return Ok(None);
            }
        }
    }

    /// Does nothing for some time but reap.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn idle(&mut self, time: Duration) -> io::Result<()> {
        let deadline = Instant::now() + time;
        while self.wait(&[], deadline)? {
            self.reap()?;
        }
        Ok(())
    }

    /// Forgets the ends that nobody has asked for: those of the runtimes' own children.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn forget(&mut self) -> io::Result<()> {
        self.reap()?;
        self.ended.clear();
        Ok(())
    }

    /// Whether something happened before the deadline. For a user who wants to end, every deadline has come.
    fn wait(&self, more: &[BorrowedFd<'_>], deadline: Instant) -> io::Result<bool> {
        let fds: Vec<BorrowedFd<'_>> = more.iter().copied().chain([self.ends.as_fd()]).collect();
        loop {
            let look_up = deadline.min(Instant::now() + BETWEEN_LOOKS);
            if is_interrupted() {
                return Ok(false);
            } else if wait_readable(&fds, look_up)? {
                return Ok(true);
            } else if look_up == deadline {
                return Ok(false);
            }
        }
    }

    fn reap(&mut self) -> io::Result<()> {
        // First the pipe, so that a child that ends from now on leaves a byte in it.
        match self.ends.read(&mut [0; 256]) {
            Ok(_) => {}
            Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(why) => return Err(why),
        }
        loop {
            match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
                Ok(status) => match (status.pid(), Ended::of(status)) {
                    (Some(pid), Some(ended)) => drop(self.ended.insert(pid, (ended, now()))),
                    (None, _) => return Ok(()),
                    (Some(_), None) => {}
                },
                Err(Errno::ECHILD) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }
}
