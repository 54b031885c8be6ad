//! A runtime in the foreground: it passes signals and the terminal on, and ends as the program ends.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
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
        let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
        let master = console.unwrap_or(pidfd);
        let mut output = Flow::new(master, stdout, console.is_some());
        let mut input = Flow::new(stdin, master, console.is_some());
        loop {
            // One that is waited for in vain is looked at all the same, and would tell of its end again and again.
            let nothing = (pidfd, PollFlags::empty());
            let (from_output, of_output) = output.next().unwrap_or(nothing);
            let (from_input, of_input) = input.next().unwrap_or(nothing);
            let mut polled = [
                PollFd::from_borrowed_fd(pidfd, PollFlags::IN),
                PollFd::new(&self.signals, PollFlags::IN),
                PollFd::from_borrowed_fd(from_output, of_output),
                PollFd::from_borrowed_fd(from_input, of_input),
            ];
            match rustix::event::poll(&mut polled, None) {
                Err(Errno::INTR) => continue,
                polled => polled.doing(|| "wait for the program".into())?,
            };
            let [ended, signalled, of_output, of_input] = polled.map(|polled| polled.revents());
            if !signalled.is_empty() {
                self.forward(pidfd, console)?;
            }
            if output.next().is_some() && !of_output.is_empty() {
                output.go_on();
                continue;
            }
            if input.next().is_some() && !of_input.is_empty() {
                input.go_on();
            }
            if !ended.is_empty() && !output.is_held_up() {
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

/// Bytes on their way. Where the receiver takes no more at the moment, as a full pipe that does not block, the rest is kept.
struct Flow<'fd> {
    from: BorrowedFd<'fd>,
    to: BorrowedFd<'fd>,
    buffer: [u8; 4096],
    kept: Range<usize>,
    is_open: bool,
}

impl<'fd> Flow<'fd> {
    fn new(from: BorrowedFd<'fd>, to: BorrowedFd<'fd>, is_open: bool) -> Self {
        Self { from, to, buffer: [0; 4096], kept: 0..0, is_open }
    }

    /// What to wait for.
    fn next(&self) -> Option<(BorrowedFd<'fd>, PollFlags)> {
        let next = if self.is_held_up() { (self.to, PollFlags::OUT) } else { (self.from, PollFlags::IN) };
        self.is_open.then_some(next)
    }

    fn is_held_up(&self) -> bool {
        self.is_open && !self.kept.is_empty()
    }

    /// Reads what is there, unless something is kept, and writes as much as is taken.
    fn go_on(&mut self) {
        if self.kept.is_empty() {
            match rustix::io::read(self.from, &mut self.buffer) {
                Ok(length @ 1..) => self.kept = 0..length,
                Err(Errno::INTR | Errno::AGAIN) => return,
                Ok(_) | Err(_) => return self.is_open = false,
            }
        }
        match rustix::io::write(self.to, &self.buffer[self.kept.clone()]) {
            Ok(written) => self.kept.start += written,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.is_open = false,
        }
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

/// Gives the container's terminal the size of the caller's.
fn resize(to: BorrowedFd<'_>) {
    if let Some(size) = console::size_of(rustix::stdio::stdin().as_fd()) {
        // A terminal that is gone has no size.
        rustix::termios::tcsetwinsize(to, size).unwrap_or_default();
    }
}
