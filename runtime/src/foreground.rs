//! A runtime in the foreground: it passes signals and the terminal on, and ends as the program ends.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::process::{WaitId, WaitIdOptions};
use rustix::termios::{OptionalActions, Termios};

use crate::error::{Context, Error, Result};
use crate::rootfs::console;
use crate::sys::{self, SignalFd};

/// Signals are blocked and wait to be read.
#[derive(Debug)]
pub struct Foreground {
    signals: SignalFd,
}

/// The caller's terminal in raw mode, until this is dropped.
#[derive(Debug)]
struct Raw(Option<Termios>);

impl Foreground {
    /// Blocks the signals: to be called before the container is made, so that none is lost.
    ///
    /// # Errors
    /// As sigprocmask(2) and signalfd(2).
    pub fn prepare() -> Result<Self> {
        sys::block_all_signals().doing(|| "block the signals".into())?;
        Ok(Self { signals: SignalFd::new().doing(|| "receive the signals".into())? })
    }

    /// Passes signals and the terminal on until the process behind `pidfd`, a child, has ended. Returns its exit code,
    /// 128 more than the signal that ended it.
    ///
    /// # Errors
    /// As poll(2) and waitid(2).
    pub fn wait(&self, pidfd: BorrowedFd<'_>, console: Option<BorrowedFd<'_>>) -> Result<u8> {
        let raw = console.map(|console| Raw::new(console)).transpose()?;
        let waited = self.pass_on(pidfd, console);
        drop(raw);
        waited?;
        let ended = rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED);
        let ended = ended.doing(|| "wait for the program".into())?;
        let ended = ended.ok_or_else(|| Error::new("the program has not ended"))?;
        let code = ended.exit_status().or_else(|| ended.terminating_signal().map(|signal| 128 + signal));
        Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
    }

    fn pass_on(&self, pidfd: BorrowedFd<'_>, console: Option<BorrowedFd<'_>>) -> Result<()> {
        let stdin = rustix::stdio::stdin();
        let mut input_open = console.is_some();
        let mut output_open = console.is_some();
        loop {
            let master = console.unwrap_or(pidfd);
            let wanted = |open| if open { PollFlags::IN } else { PollFlags::empty() };
            let mut polled = [
                PollFd::new(&pidfd, PollFlags::IN),
                PollFd::new(&self.signals, PollFlags::IN),
                PollFd::from_borrowed_fd(master, wanted(output_open)),
                PollFd::from_borrowed_fd(stdin, wanted(input_open)),
            ];
            match rustix::event::poll(&mut polled, None) {
                Err(rustix::io::Errno::INTR) => continue,
                polled => polled.doing(|| "wait for the program".into())?,
            };
            let [ended, signalled, output, input] = polled.map(|polled| polled.revents());
            if !signalled.is_empty() {
                self.forward(pidfd, console)?;
            }
            if output_open && !output.is_empty() {
                output_open = copy(master, rustix::stdio::stdout());
                continue;
            }
            if input_open && !input.is_empty() {
                input_open = copy(stdin, master);
            }
            if !ended.is_empty() {
                return Ok(());
            }
        }
    }

    fn forward(&self, pidfd: BorrowedFd<'_>, console: Option<BorrowedFd<'_>>) -> Result<()> {
        while let Some(signal) = self.signals.next().doing(|| "receive a signal".into())? {
            match (signal, console) {
                (libc::SIGCHLD, _) => {}
                (libc::SIGWINCH, Some(console)) => resize(console),
                // It may have ended in between, which the next round notices.
                _ => drop(sys::pidfd_send_signal(pidfd, signal)),
            }
        }
        Ok(())
    }
}

impl Raw {
    /// Takes the caller's terminal, if its standard input is one, and gives its size to the container's.
    fn new(console: BorrowedFd<'_>) -> Result<Self> {
        let stdin = rustix::stdio::stdin();
        let Ok(former) = rustix::termios::tcgetattr(stdin) else { return Ok(Self(None)) };
        let mut raw = former.clone();
        raw.make_raw();
        rustix::termios::tcsetattr(stdin, OptionalActions::Now, &raw).doing(|| "set the terminal raw".into())?;
        resize(console);
        Ok(Self(Some(former)))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(former) = &self.0 {
            // The terminal may be gone with its window; then there is nothing to restore.
            rustix::termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, former).unwrap_or_default();
        }
    }
}

/// Copies what is there; false at the end.
fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> bool {
    let mut buffer = [0_u8; 4096];
    let Ok(length @ 1..) = rustix::io::read(from, &mut buffer) else { return false };
    let mut rest = &buffer[..length];
    while !rest.is_empty() {
        match rustix::io::write(to, rest) {
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    true
}

/// Gives the container's terminal the size of the caller's.
fn resize(to: BorrowedFd<'_>) {
    if let Some(size) = console::size_of(rustix::stdio::stdin().as_fd()) {
        // A terminal that is gone has no size.
        rustix::termios::tcsetwinsize(to, size).unwrap_or_default();
    }
}
