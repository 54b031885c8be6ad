//! The protocol between harness and probe: questions as lines, answers as marked lines, whatever else a runtime prints between them.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use plimsoll_fixtures::probe::{Answer, Ask, Hello, MARK};

use crate::runtime::judgement::{StepResult, Stop};
use crate::system::deadline::scaled;
use crate::system::process::{Capture, wait_readable};

/// The longest line that is waited for: a whole mountinfo, or 64 KiB of file as numbers.
const LONGEST: usize = 4 * 1024 * 1024;

/// A conversation with a probe.
#[derive(Debug)]
pub struct Channel {
    questions: Option<File>,
    answers: Capture,
    noise: String,
    timeout: Duration,
    is_terminal: bool,
}

/// How long before its end a program may close its standard output.
const CLOSING: Duration = Duration::from_secs(1);

/// How much is kept of what is no answer.
const NOISE_KEPT: usize = 4096;

impl Channel {
    /// A conversation over two pipes; the other ends are for the program's standard input and output.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn pipes(timeout: Duration) -> StepResult<(Self, OwnedFd, OwnedFd)> {
        let (input, questions) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        let (answers, output) = Capture::pipe(LONGEST)?;
        Ok((
            Self { questions: Some(questions.into()), answers, noise: String::new(), timeout, is_terminal: false },
            input,
            output,
        ))
    }

    /// A conversation over the master side of a terminal.
    ///
    /// # Errors
    /// When the descriptor is no terminal.
    pub fn terminal(master: OwnedFd, timeout: Duration) -> StepResult<Self> {
        crate::system::sys::make_raw(&master)?;
        let questions = master.try_clone()?;
        let answers = Capture::new(master, LONGEST)?;
        Ok(Self { questions: Some(questions.into()), answers, noise: String::new(), timeout, is_terminal: true })
    }

    /// Other output so far, up to a limit.
    #[must_use]
    pub fn noise(&self) -> &str {
        &self.noise
    }

    /// Where the answers come in, to be read while a call runs.
    pub fn answers(&mut self) -> &mut Capture {
        &mut self.answers
    }

    /// Waits for the first line of a probe. `None` when the process behind `pidfd` ended before it said anything.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it is alive and says nothing in time.
    pub fn hello(&mut self, pidfd: impl AsFd) -> StepResult<Option<Hello>> {
        match self.line(&pidfd)? {
            Some(line) => parse(&line).map(Some),
            None => Ok(None),
        }
    }

    /// Whether something was said already; does not wait.
    pub fn has_spoken(&mut self) -> bool {
        self.answers.drain();
        self.answers.bytes().windows(MARK.len()).any(|window| window == MARK.as_bytes())
    }

    /// Asks and waits for the answers.
    ///
    /// # Errors
    /// [`Stop::Broken`] when the program ends or keeps silent instead of answering.
    pub fn ask(&mut self, asks: &[Ask], pidfd: impl AsFd) -> StepResult<Vec<Answer>> {
        self.send(asks)?;
        self.receive(asks.len(), pidfd)
    }

    /// Waits for so many answers to what was asked without waiting.
    ///
    /// # Errors
    /// As [`Channel::ask`].
    pub fn receive(&mut self, count: usize, pidfd: impl AsFd) -> StepResult<Vec<Answer>> {
        let line = self.line(&pidfd)?;
        let line = line.ok_or_else(|| Stop::broken("the program", "answers from inside", "it ended without them"))?;
        let answers: Vec<Answer> = parse(&line)?;
        let expected = || Stop::broken("what the program says", format!("{count} answers"), answers.len().to_string());
        if answers.len() == count { Ok(answers) } else { Err(expected()) }
    }

    /// Asks without waiting.
    ///
    /// # Errors
    /// [`Stop::Broken`] when the program no longer reads.
    pub fn send(&mut self, asks: &[Ask]) -> StepResult {
        let mut line = serde_json::to_string(asks).map_err(|why| Stop::Error(why.to_string()))?;
        line.push('\n');
        let questions = self.questions.as_mut().ok_or_else(|| Stop::Error("asked after close".into()))?;
        let written = questions.write_all(line.as_bytes());
        written.map_err(|why| Stop::broken("the program's standard input", "open for questions", why.to_string()))
    }

    /// Ends the conversation: the probe sees end-of-file and exits with 0. A terminal has an end-of-file only when it
    /// hangs up, which is a signal too, so there the probe is told to exit; when nobody listens, it has ended already.
    pub fn close(&mut self) {
        if self.is_terminal && self.questions.is_some() {
            self.send(&[Ask::Exit(0)]).ok();
        }
        self.questions = None;
    }

    fn line(&mut self, pidfd: &impl AsFd) -> StepResult<Option<String>> {
        let deadline = Instant::now() + self.timeout;
        loop {
            if let Some(line) = self.take_line() {
                return Ok(Some(line));
            }
            let mut fds = vec![pidfd.as_fd()];
            fds.extend(self.answers.fd().map(AsFd::as_fd));
            let in_time = wait_readable(&fds, deadline)?;
            let over = wait_readable(&[pidfd], Instant::now())?;
            self.answers.drain();
            // What has just been read may hold the line, whatever else has happened.
            if let Some(line) = self.take_line() {
                return Ok(Some(line));
            }
            if over {
                return Ok(None);
            }
            if !in_time {
                let limit = format!("a line within {:?}", self.timeout);
                return Err(Stop::broken("the program", limit, "it is alive but sends nothing"));
            }
            if self.answers.fd().is_none() {
                // Who ends closes it a moment before.
                if wait_readable(&[pidfd], deadline.min(Instant::now() + scaled(CLOSING)))? {
                    return Ok(None);
                }
                let expected = "open until the program ends";
                return Err(Stop::broken("the program's standard output", expected, "closed"));
            }
        }
    }

    /// The next marked line; what others say is noise.
    fn take_line(&mut self) -> Option<String> {
        loop {
            let bytes = self.answers.bytes();
            let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
                if bytes.len() >= LONGEST {
                    bytes.clear();
                }
                return None;
            };
            let line: Vec<u8> = bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).into_owned();
            let (noise, marked) = match line.split_once(MARK) {
                Some((noise, marked)) => (noise, Some(marked)),
                None => (line.as_str(), None),
            };
            self.noise.extend(noise.chars().take(NOISE_KEPT.saturating_sub(self.noise.len())));
            if let Some(marked) = marked {
                return Some(marked.trim_end().to_owned());
            }
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(line: &str) -> StepResult<T> {
    // The probe is ours: another answer is of a program that the runtime executes instead, or of the runtime itself.
    let foreign =
        |why: serde_json::Error| Stop::broken("what the program says", "answers of the probe", why.to_string());
    serde_json::from_str(line).map_err(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel_with(bytes: &[u8]) -> Channel {
        let (channel, _input, output) = Channel::pipes(Duration::from_secs(20)).unwrap();
        File::from(output).write_all(bytes).unwrap();
        channel
    }

    #[test]
    fn noise_between_answers_is_none_of_them() {
        let own = crate::system::sys::pidfd_open(nix::unistd::getpid()).unwrap();
        let text = format!("warning: x\nhalf{MARK}{{\"at\":5,\"pid\":1,\"container\":null}}\n");
        let mut channel = channel_with(text.as_bytes());
        assert_eq!(channel.hello(&own).unwrap(), Some(Hello { at: 5, pid: 1, container: None }));
        assert_eq!(channel.noise(), "warning: x\nhalf");
    }

    #[test]
    fn a_closed_output_of_a_living_program_is_a_finding() {
        let own = crate::system::sys::pidfd_open(nix::unistd::getpid()).unwrap();
        assert!(matches!(channel_with(b"").hello(&own), Err(Stop::Broken(_))));
    }
}
