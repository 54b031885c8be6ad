//! Calls of the runtime that last as long as the program: `exec`, and `run` in the foreground.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::time::Instant;

use nix::unistd::Pid;
use plimsoll_fixtures::probe::{Answer, Ask, Hello};
use plimsoll_fixtures::{Bundle, Config};
use serde_json::{Value, json};

use crate::containers::channel::Channel;
use crate::containers::container::Container;
use crate::containers::evidence::{Evidence, Inside};
use crate::containers::lab::Lab;
use crate::runtime::fault::Fault;
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::{Op, Values};
use crate::system::observer::inside;
use crate::system::process::{Capture, KEPT, Running, wait_readable};

/// A call that is under way, and the conversation with the probe that it runs.
#[derive(Debug)]
pub struct Foreground<'l> {
    lab: &'l Lab<'l>,
    op: Op,
    /// The init process of the container that a program was added to.
    added_to: Option<Pid>,
    running: Running,
    command: String,
    channel: Channel,
    stderr: Capture,
}

impl<'l> Container<'l> {
    /// Runs a second program in the container, in the foreground. `process` is what `process` is in `config.json`.
    ///
    /// # Errors
    /// [`Stop::Skip`] when the runtime cannot, [`Stop::Error`] when it cannot be executed.
    pub fn exec(&self, process: &Value) -> StepResult<Foreground<'l>> {
        self.call_exec(&self.process_for_exec(process)?, Vec::new())
    }

    /// The values of a call of exec that is given this process.
    pub(crate) fn process_for_exec(&self, process: &Value) -> StepResult<Values> {
        let config = Config(json!({ "process": process }));
        let config = self.lab.settings.fault.map_or_else(|| config.clone(), |fault| fault.at_exec().config(&config));
        self.values_of_exec(&config)
    }

    fn values_of_exec(&self, config: &Config) -> StepResult<Values> {
        // Several calls may be under way at once.
        let path = self.lab.dir.join(format!("exec-{}.json", self.lab.next()));
        std::fs::write(&path, config.0["process"].to_string()).map_err(Stop::error("write the process of exec"))?;
        Ok(self.values().with("process", path.to_string_lossy()))
    }

    /// As [`Container::exec`], with the options and arguments of the command line instead of a process in full.
    ///
    /// # Errors
    /// As [`Container::exec`].
    pub fn exec_with(&self, options: impl FnOnce(Values) -> Values) -> StepResult<Foreground<'l>> {
        let values = options(self.values());
        match self.lab.settings.fault {
            // What it gets wrong is a member of the process that it should have taken from the configuration.
            Some(Fault::OfExec(fault)) => {
                let mut config = self.bundle.config.clone();
                config.0["process"]["args"] = json!(values.words("args"));
                self.call_exec(&self.values_of_exec(&fault.config(&config))?, Vec::new())
            }
            _ => self.call_exec(&values, Vec::new()),
        }
    }

    /// As [`Container::exec_with`], with descriptors from number 3 on.
    ///
    /// # Errors
    /// As [`Container::exec`].
    pub fn exec_handing(
        &self,
        fds: Vec<OwnedFd>,
        options: impl FnOnce(Values) -> Values,
    ) -> StepResult<Foreground<'l>> {
        self.call_exec(&options(self.values()), fds)
    }

    fn call_exec(&self, values: &Values, fds: Vec<OwnedFd>) -> StepResult<Foreground<'l>> {
        let call = Foreground::start_handing(self.lab, Op::Exec, values, fds)?;
        Ok(Foreground { added_to: Some(self.pid), ..call })
    }
}

impl<'l> Foreground<'l> {
    pub(crate) fn start(lab: &'l Lab<'l>, op: Op, values: &Values) -> StepResult<Self> {
        Self::start_handing(lab, op, values, Vec::new())
    }

    fn start_handing(lab: &'l Lab<'l>, op: Op, values: &Values, fds: Vec<OwnedFd>) -> StepResult<Self> {
        let (stderr, err) = Capture::pipe(KEPT)?;
        let (channel, input, output) = Channel::pipes(lab.settings.timeout)?;
        let (running, command) =
            lab.driver.start(op, values, &lab.dir, [input, output, err].into_iter().chain(fds).collect())?;
        Ok(Self { lab, op, added_to: None, running, command, channel, stderr })
    }

    /// Whether the call has not ended yet.
    ///
    /// # Errors
    /// [`Stop::Error`] when the kernel gives no answer.
    pub fn is_under_way(&self) -> StepResult<bool> {
        Ok(!wait_readable(&[self.running.pidfd()], Instant::now())?)
    }

    /// Waits for the probe to speak.
    ///
    /// # Errors
    /// [`Stop::Broken`] when the call ends without it, or it keeps silent.
    pub fn greeted(&mut self) -> StepResult<Hello> {
        let hello = self.channel.hello(self.running.pidfd())?;
        self.stderr.drain();
        let what = format!("the program of {}", self.op);
        let hello = hello.ok_or_else(|| Stop::broken(what, "runs", format!("ended: {}", self.stderr.text())))?;
        self.lab.has_run.set(true);
        if let (Some(fault), Some(pid)) = (self.lab.settings.fault, self.pid(&hello)?) {
            fault.after_exec(pid)?;
        }
        Ok(hello)
    }

    /// The process that said hello, as the host sees it; none when no process of the container's pid namespace is it.
    ///
    /// # Errors
    /// [`Stop::Error`] when `/proc` cannot be read.
    pub fn pid(&self, hello: &Hello) -> StepResult<Option<Pid>> {
        let Some(first) = self.added_to else { return Ok(None) };
        Ok(inside::with_number(hello.pid, first)?)
    }

    /// Asks the probe.
    ///
    /// # Errors
    /// [`Stop::Broken`] when the call ends or the probe keeps silent.
    pub fn ask_all(&mut self, asks: &[Ask]) -> StepResult<Vec<Answer>> {
        self.channel.ask(asks, self.running.pidfd())
    }

    /// Asks the probe something that it can answer only after something else has been done.
    ///
    /// # Errors
    /// As [`Foreground::ask_all`], and those of what is done.
    pub fn ask_while(&mut self, ask: Ask, meanwhile: impl FnOnce() -> StepResult) -> StepResult<Option<Answer>> {
        self.channel.send(&[ask])?;
        meanwhile()?;
        Ok(self.channel.receive(1, self.running.pidfd())?.pop())
    }

    /// The facts that rules judge, as far as the probe knows them; `bundle` is that of the container.
    ///
    /// # Errors
    /// As [`Foreground::ask_all`].
    pub fn evidence(&mut self, asks: Vec<Ask>, bundle: &Bundle) -> StepResult<Evidence> {
        let answers = if asks.is_empty() { Vec::new() } else { self.ask_all(&asks)? };
        let inside = Inside::new(asks.into_iter().zip(answers).collect());
        Ok(Evidence { inside, outside: None, knob_values: BTreeMap::new(), bundle: bundle.clone() })
    }

    /// Sends a question that has no answer, such as [`Ask::Exit`].
    ///
    /// # Errors
    /// [`Stop::Broken`] when nobody reads.
    pub fn tell(&mut self, ask: Ask) -> StepResult {
        self.channel.send(&[ask])
    }

    /// Lets the program end by itself and waits for the end of the call.
    ///
    /// # Errors
    /// [`Stop::Timeout`] when it does not end.
    pub fn finish(mut self) -> StepResult<Outcome> {
        self.channel.close();
        let captures = &mut [self.channel.answers(), &mut self.stderr];
        let end = self.running.finish(captures, self.lab.driver.deadline())?;
        self.lab.driver.settle(self.op, self.command, &end, String::new(), self.stderr.text())
    }
}
