//! `run` and `exec` in the foreground, byte by byte: what the program writes and what is sent to it, by pipes or by a terminal. Here
//! nothing is asked of the program, as in [`foreground`](crate::containers::foreground).

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use nix::fcntl::{FcntlArg, fcntl};
use nix::pty::Winsize;
use nix::sys::signal::{Signal, kill};
use plimsoll_fixtures::Bundle;
use serde_json::Value;

use crate::containers::console::terminal;
use crate::containers::container::Container;
use crate::containers::lab::Lab;
use crate::runtime::driver::SESSION;
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::{Op, Values};
use crate::system::process::{Capture, KEPT, Running, set_nonblocking, wait_readable};
use crate::system::sys;

/// How much of what the program writes is kept.
const LONGEST: usize = 4 * 1024 * 1024;

/// The size of a pipe that is full soon: one page.
const SMALL: i32 = 4096;

/// Rows and columns of the caller's terminal.
const SIZE: [u16; 2] = [24, 80];

/// What the standard input and output of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Two pipes.
    Pipes,
    /// A terminal, which hands bytes through.
    Terminal,
    /// That, and the call leads the session of this terminal.
    OwnTerminal,
    /// A terminal to read from, and a small pipe to write to that is full and never blocks.
    FullPipe,
}

impl Streams {
    /// Whether the program is to have a terminal.
    #[must_use]
    pub fn has_terminal(self) -> bool {
        self != Self::Pipes
    }
}

/// A call that is under way.
#[derive(Debug)]
pub struct Relay<'l> {
    lab: &'l Lab<'l>,
    op: Op,
    running: Running,
    command: String,
    input: Option<File>,
    output: Capture,
    stderr: Capture,
}

impl Lab<'_> {
    /// Runs a bundle in the foreground.
    ///
    /// # Errors
    /// As [`Lab::run`].
    pub fn relay(&self, bundle: &Bundle, streams: Streams) -> StepResult<Relay<'_>> {
        Relay::start(self, Op::Run, self.values(bundle), streams)
    }
}

impl<'l> Container<'l> {
    /// Runs a second program in the container, in the foreground.
    ///
    /// # Errors
    /// As [`Container::exec`].
    pub fn relay(&self, process: &Value, streams: Streams) -> StepResult<Relay<'l>> {
        Relay::start(self.lab, Op::Exec, self.process_for_exec(process)?, streams)
    }
}

impl<'l> Relay<'l> {
    fn start(lab: &'l Lab<'l>, op: Op, values: Values, streams: Streams) -> StepResult<Self> {
        let (stderr, err) = Capture::pipe(KEPT)?;
        let (input, output, [stdin, stdout]) = ends(streams)?;
        let values = if streams == Streams::OwnTerminal { values.with(SESSION, "") } else { values };
        let (running, command) = lab.driver.start(op, &values, &lab.dir, vec![stdin, stdout, err])?;
        Ok(Self { lab, op, running, command, input: Some(input), output, stderr })
    }

    /// Waits until the program has written this text.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it does not come in time, or the call ends without it.
    pub fn reads(&mut self, text: &str) -> StepResult {
        let deadline = self.lab.driver.deadline();
        loop {
            let is_over = self.wait_for_more(deadline)?;
            let written = self.written();
            if written.contains(text) {
                return Ok(());
            }
            if is_over {
                let seen = format!("{:?}, and {}", tail(&written), self.stderr.text());
                return Err(Stop::broken(format!("what arrives from the program of {}", self.op), text.trim(), seen));
            }
        }
    }

    /// Reads what comes next. True when nothing more is to be waited for.
    fn wait_for_more(&mut self, deadline: Instant) -> StepResult<bool> {
        let mut fds = vec![self.running.pidfd().as_fd()];
        fds.extend([&self.output, &self.stderr].into_iter().filter_map(|capture| capture.fd().map(AsFd::as_fd)));
        let in_time = wait_readable(&fds, deadline)?;
        let has_ended = wait_readable(&[self.running.pidfd()], Instant::now())?;
        self.output.drain();
        self.stderr.drain();
        Ok(has_ended || !in_time)
    }

    /// What has arrived so far.
    pub fn written(&mut self) -> String {
        String::from_utf8_lossy(self.output.bytes()).into_owned()
    }

    /// Reads this little at a time until nothing more comes, as a reader does that is slower than the program.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn sip(&mut self, bytes: usize) -> StepResult {
        let deadline = self.lab.driver.deadline();
        while let Some(fd) = self.output.fd() {
            if !wait_readable(&[fd.as_fd(), self.running.pidfd().as_fd()], deadline)? {
                break;
            }
            // What is left after its end is read by the last step.
            let has_ended = wait_readable(&[self.running.pidfd()], Instant::now())?;
            if has_ended {
                break;
            }
            self.output.sip(bytes);
            self.stderr.drain();
        }
        Ok(())
    }

    /// Sends bytes to the program.
    ///
    /// # Errors
    /// [`Stop::Broken`] when nobody reads.
    pub fn types(&mut self, bytes: &[u8]) -> StepResult {
        let input = self.input.as_mut().ok_or_else(|| Stop::Error("typed after the end of input".into()))?;
        let broken = |why: std::io::Error| Stop::broken("the standard input of the call", "open", why.to_string());
        input.write_all(bytes).map_err(broken)
    }

    /// Closes the pipe to the program.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Closes the caller's side of the terminal, as a window that is closed does.
    pub fn hang_up(&mut self) {
        self.input = None;
        self.output.close();
    }

    /// Gives the caller's terminal another size.
    ///
    /// # Errors
    /// When it is none.
    pub fn resize(&self, rows: u16, columns: u16) -> StepResult {
        let terminal = self.input.as_ref().ok_or_else(|| Stop::Error("the terminal is closed".into()))?;
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(terminal, size).map_err(std::io::Error::from)?)
    }

    /// Sends a signal to the runtime.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: Signal) -> StepResult {
        Ok(kill(self.running.pid(), signal)?)
    }

    /// Waits for the end of the call, and returns it with all that has arrived.
    ///
    /// # Errors
    /// [`Stop::Timeout`] when it does not end.
    pub fn finish(mut self) -> StepResult<(Outcome, Vec<u8>)> {
        let captures = &mut [&mut self.output, &mut self.stderr];
        let end = self.running.finish(captures, self.lab.driver.deadline())?;
        let outcome = self.lab.driver.settle(self.op, self.command, &end, String::new(), self.stderr.text())?;
        Ok((outcome, std::mem::take(self.output.bytes())))
    }
}

/// The caller's end of input and output, and those of the call.
fn ends(streams: Streams) -> StepResult<(File, Capture, [OwnedFd; 2])> {
    if streams == Streams::Pipes {
        let (stdin, input) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        let (output, stdout) = Capture::pipe(LONGEST)?;
        return Ok((input.into(), output, [stdin, stdout]));
    }
    let size = Winsize { ws_row: SIZE[0], ws_col: SIZE[1], ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = terminal(Some(&size))?;
    sys::make_raw(&terminal.master)?;
    let input = terminal.master.try_clone()?.into();
    if streams == Streams::FullPipe {
        let (output, stdout) = full_pipe()?;
        return Ok((input, output, [terminal.slave, stdout]));
    }
    let output = Capture::new(terminal.master, LONGEST)?;
    Ok((input, output, [terminal.slave.try_clone()?, terminal.slave]))
}

/// A pipe that takes nothing until it is read, and says so at once.
fn full_pipe() -> StepResult<(Capture, OwnedFd)> {
    let (output, write) = Capture::pipe(LONGEST)?;
    fcntl(&write, FcntlArg::F_SETPIPE_SZ(SMALL))?;
    set_nonblocking(&write)?;
    // Dots, which no line of the program begins with.
    while nix::unistd::write(&write, &[b'.'; 64]).is_ok() {}
    Ok((output, write))
}

/// The end of a text, for a message.
fn tail(text: &str) -> &str {
    text.char_indices().rev().nth(199).map_or(text, |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pipe_takes_nothing_until_it_is_read() {
        let (mut output, write) = full_pipe().unwrap();
        assert_eq!(nix::unistd::write(&write, b"x"), Err(nix::errno::Errno::EAGAIN));
        output.drain();
        assert_eq!(nix::unistd::write(&write, b"x"), Ok(1));
    }
}
