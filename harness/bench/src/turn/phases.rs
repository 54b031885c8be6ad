//! One turn of one subject: a container from create to delete, or by `run`. Each operation is timed and its effect is checked, so that
//! leaving something out counts as a mishap and never as a time.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use plimsoll_engine::process::{Ended, null};
use plimsoll_engine::profile::{Op, Values};
use plimsoll_engine::sys::pidfd_open;
use plimsoll_foreign::read;
use plimsoll_reports::model::bench::{Mishap, MishapKind};

use crate::call::StartedCall;
use crate::clock::stamped;
use crate::output::{Output, pipe};
use crate::site::{STAMP, Site};
use crate::subject::Subject;
use crate::watch::Watch;

/// Time from call to exit of `create`.
pub const CREATE: &str = "create";
/// Time from the call of `start` to the first instruction of the program.
pub const START: &str = "start";
/// Time from call to exit of `state`.
pub const STATE: &str = "state";
/// Time from call to exit of `exec` of a program that does nothing.
pub const EXEC: &str = "exec";
/// Time from the call of `kill` to the end of the container's process.
pub const KILL: &str = "kill-to-exit";
/// Time from call to exit of `delete`.
pub const DELETE: &str = "delete";
/// Sum of create, start, kill-to-exit and delete.
pub const WHOLE: &str = "whole";
/// Time from call to exit of `run`, the program ending at once.
pub const RUN: &str = "run";

/// All phases, in the order in which reports show them.
pub const PHASES: [&str; 8] = [CREATE, START, STATE, EXEC, KILL, DELETE, WHOLE, RUN];

/// What a turn came to.
pub type Times = Vec<(&'static str, Duration)>;

/// Why a turn came to nothing.
#[derive(Debug)]
pub enum TurnError {
    /// The subject failed.
    Subject(&'static str, MishapKind, String),
    /// The harness or the host did.
    Host(io::Error),
}

impl From<io::Error> for TurnError {
    fn from(why: io::Error) -> Self {
        Self::Host(why)
    }
}

impl TurnError {
    /// The mishap of a block.
    ///
    /// # Errors
    /// When it is none of the subject's.
    pub fn mishap(self, block: u32) -> io::Result<Mishap> {
        match self {
            Self::Subject(phase, kind, what) => Ok(Mishap { block, phase: phase.to_owned(), kind, what }),
            Self::Host(why) => Err(why),
        }
    }
}

/// One subject at one site.
#[derive(Debug)]
pub struct Turn<'t> {
    /// Who.
    pub subject: &'t Subject,
    /// Where.
    pub site: &'t Site,
    /// What reaps meanwhile.
    pub watch: &'t mut Watch,
}

impl Turn<'_> {
    /// Create, start, state, exec, kill and delete.
    ///
    /// # Errors
    /// As [`TurnError`]; the site is clear again, whatever happened.
    pub fn lifecycle(&mut self) -> Result<Times, TurnError> {
        let done = self.try_lifecycle();
        self.clean_up(done)
    }

    /// The same by `run`, which also deletes.
    ///
    /// # Errors
    /// As [`Turn::lifecycle`].
    pub fn run(&mut self) -> Result<Times, TurnError> {
        let done = self.try_run();
        self.clean_up(done)
    }

    fn try_lifecycle(&mut self) -> Result<Times, TurnError> {
        let (create, pid, mut output) = self.create()?;
        let mut times = vec![(CREATE, create)];
        let start = self.start(&mut output)?;
        times.push((START, start));
        times.push((STATE, self.state(pid)?));
        times.extend(self.exec()?.map(|time| (EXEC, time)));
        let kill = self.kill(pid)?;
        let delete = self.delete()?;
        times.extend([(KILL, kill), (DELETE, delete), (WHOLE, create + start + kill + delete)]);
        Ok(times)
    }

    /// A container that waits to be started: how long it took, its process, its output.
    ///
    /// # Errors
    /// As [`TurnError`].
    pub fn create(&mut self) -> Result<(Duration, Pid, Output), TurnError> {
        let (output, out) = pipe()?;
        let (time, _) = self.timed(CREATE, Op::Create, Some(out), |values| values)?.ok_or_else(|| lacking(CREATE))?;
        let text = read::text(&self.site.pid_file, read::NUMBER);
        let pid = text.ok().and_then(|text| text.trim().parse().ok()).filter(|pid| *pid > 1).map(Pid::from_raw);
        let pid = pid.ok_or_else(|| wrong(CREATE, "the pid file names no process".to_owned()))?;
        Ok((time, pid, output))
    }

    /// Starts it: the time to the first instruction of its program.
    ///
    /// # Errors
    /// As [`TurnError`].
    pub fn start(&mut self, output: &mut Output) -> Result<Duration, TurnError> {
        let (_, started) = self.timed(START, Op::Start, None, |values| values)?.ok_or_else(|| lacking(START))?;
        self.first_instruction(START, output, started).map(|at| at.saturating_sub(started.at))
    }

    fn state(&mut self, pid: Pid) -> Result<Duration, TurnError> {
        let (output, out) = pipe()?;
        let (time, _) = self.timed(STATE, Op::State, Some(out), |values| values)?.ok_or_else(|| lacking(STATE))?;
        let text = read::whole(&output.0, read::DOCUMENT).map_err(io::Error::from)?;
        let state: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        if state["status"] == "running" && state["pid"] == pid.as_raw() {
            return Ok(time);
        }
        Err(wrong(STATE, format!("status {} and pid {}, not running and {pid}", state["status"], state["pid"])))
    }

    fn exec(&mut self) -> Result<Option<Duration>, TurnError> {
        let (mut output, out) = pipe()?;
        let program = |values: Values| values.with_words("args", &[STAMP]);
        let Some((time, started)) = self.timed(EXEC, Op::Exec, Some(out), program)? else { return Ok(None) };
        self.first_instruction(EXEC, &mut output, started)?;
        Ok(Some(time))
    }

    /// Kills it: the time until its process has ended.
    ///
    /// # Errors
    /// As [`TurnError`].
    pub fn kill(&mut self, pid: Pid) -> Result<Duration, TurnError> {
        let process =
            pidfd_open(pid).map_err(|_| wrong(START, format!("process {pid} of the container does not live")))?;
        let signal = self.subject.settings.profile.signal(Signal::SIGKILL);
        let call = self.subject.call(Op::Kill, self.site, |values| values.with("signal", signal))?;
        let started = call.ok_or_else(|| lacking(KILL))?.begin(&[null()?, self.log()?, self.log()?])?;
        let gone = self.watch.readable(process.as_fd(), self.deadline())?;
        self.ended(KILL, started)?;
        let late = || TurnError::Subject(KILL, MishapKind::Hung, format!("process {pid} outlives SIGKILL"));
        Ok(gone.ok_or_else(late)?.saturating_sub(started.at))
    }

    /// Deletes it: nothing of it may be left.
    ///
    /// # Errors
    /// As [`TurnError`].
    pub fn delete(&mut self) -> Result<Duration, TurnError> {
        let (time, _) = self.timed(DELETE, Op::Delete, None, |values| values)?.ok_or_else(|| lacking(DELETE))?;
        self.nothing_left(DELETE)?;
        Ok(time)
    }

    fn try_run(&mut self) -> Result<Times, TurnError> {
        let (mut output, out) = pipe()?;
        let Some((time, started)) = self.timed(RUN, Op::Run, Some(out), |values| values)? else {
            return Ok(Vec::new());
        };
        self.first_instruction(RUN, &mut output, started)?;
        self.nothing_left(RUN)?;
        Ok(vec![(RUN, time)])
    }

    fn nothing_left(&self, phase: &'static str) -> Result<(), TurnError> {
        match self.site.group_left() {
            Some(group) => Err(wrong(phase, format!("the control group {} is left", group.display()))),
            None => Ok(()),
        }
    }

    /// Calls an operation and waits for its end: how long it took, and when it was called.
    fn timed(
        &mut self,
        phase: &'static str,
        op: Op,
        out: Option<OwnedFd>,
        more: impl FnOnce(Values) -> Values,
    ) -> Result<Option<(Duration, StartedCall)>, TurnError> {
        let Some(call) = self.subject.call(op, self.site, more)? else { return Ok(None) };
        let fds = [null()?, out.map_or_else(|| self.log(), Ok)?, self.log()?];
        let started = call.begin(&fds)?;
        drop(fds);
        Ok(Some((self.ended(phase, started)?, started)))
    }

    /// Waits for a call; an end other than exit code 0 is error.
    fn ended(&mut self, phase: &'static str, started: StartedCall) -> Result<Duration, TurnError> {
        let deadline = self.deadline();
        match self.watch.end_of(started.pid, deadline)? {
            (Ended::Exit(0), at) => Ok(at.saturating_sub(started.at)),
            (Ended::Deadline, _) => Err(TurnError::Subject(phase, MishapKind::Hung, self.last_words())),
            (other, _) => Err(TurnError::Subject(phase, MishapKind::Failed, format!("{other}: {}", self.last_words()))),
        }
    }

    /// When the program's first instruction was executed. The clock of a runtime with a kernel of its own is another
    /// one; then it is when the harness heard of it.
    fn first_instruction(
        &mut self,
        phase: &'static str,
        output: &mut Output,
        started: StartedCall,
    ) -> Result<Duration, TurnError> {
        let deadline = self.deadline();
        let Some(heard) = self.watch.readable(output.0.as_fd(), deadline)? else {
            return Err(TurnError::Subject(
                phase,
                MishapKind::Hung,
                "the program does not say that it runs".to_owned(),
            ));
        };
        let mut bytes = [0; 4096];
        let count = output.0.read(&mut bytes)?;
        let stamp = stamped(&bytes[..count]).ok_or_else(|| wrong(phase, "the program was not executed".to_owned()))?;
        Ok(if (started.at..=heard).contains(&stamp) { stamp } else { heard })
    }

    /// After error, takes away what is left of the container.
    fn clean_up(&mut self, done: Result<Times, TurnError>) -> Result<Times, TurnError> {
        if done.is_err() {
            self.remove()?;
        }
        self.watch.forget()?;
        done
    }

    /// Removes the container, in whatever state it is; what the runtime says to that does not matter.
    ///
    /// # Errors
    /// When something resists.
    pub fn remove(&mut self) -> io::Result<()> {
        if let Some(call) = self.subject.call(Op::Delete, self.site, |values| values.with("force", ""))? {
            let started = call.begin(&[null()?, self.log()?, self.log()?])?;
            let deadline = self.deadline();
            self.watch.end_of(started.pid, deadline)?;
        }
        self.site.clear()?;
        let record = self.subject.root.join(&self.site.id);
        if record.is_dir() { fs::remove_dir_all(record) } else { Ok(()) }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.subject.settings.timeout
    }

    fn log_path(&self) -> std::path::PathBuf {
        self.site.bundle.join("stderr")
    }

    /// A file, since a pipe that is full would stop the runtime.
    fn log(&self) -> io::Result<OwnedFd> {
        Ok(OpenOptions::new().create(true).append(true).open(self.log_path())?.into())
    }

    /// The last line that a call wrote to standard error.
    fn last_words(&self) -> String {
        let text = read::file(&self.log_path(), read::LOG).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().next_back().unwrap_or("nothing said").chars().take(300).collect()
    }
}

fn wrong(phase: &'static str, what: String) -> TurnError {
    TurnError::Subject(phase, MishapKind::Wrong, what)
}

fn lacking(phase: &'static str) -> TurnError {
    TurnError::Subject(phase, MishapKind::Failed, "the profile has no such operation".to_owned())
}
