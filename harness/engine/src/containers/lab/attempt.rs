//! Calls of `create`, and the container that may result.

use std::os::fd::OwnedFd;
use std::os::unix::fs::chown;
use std::path::Path;

use nix::unistd::Pid;
use plimsoll_fixtures::bundle::Bundle;
use serde_json::Value;

use super::Lab;
use crate::containers::channel::Channel;
use crate::containers::console::Console;
use crate::containers::container::Container;
use crate::containers::optional_features::{self, Refusal};
use crate::runtime::driver::SOCKETS;
use crate::runtime::fault::{Fault, Neutral};
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::{Op, Values};
use crate::system::process::{Capture, Ended, KEPT, null};

/// A call of `create` that ended, and what a container from it would be reached by.
#[derive(Debug)]
pub struct Attempt<'l> {
    lab: &'l Lab<'l>,
    bundle: Bundle,
    /// What create said.
    pub outcome: Outcome,
    channel: Option<Channel>,
    console: Option<Console>,
    stderr: Capture,
}

/// For whom a service manager has opened sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sockets {
    /// For the runtime that is called.
    Own,
    /// For another process, whose environment the runtime has inherited.
    OfAnother,
}

fn refused(op: Op, why: &str) -> Outcome {
    Outcome { op, ended: Ended::Exit(1), stdout: String::new(), stderr: why.to_owned() }
}

const ENDED_WELL: Ended = Ended::Exit(0);

impl Lab<'_> {
    /// Calls `create`, whatever comes of it.
    ///
    /// # Errors
    /// [`Stop::Timeout`] at the deadline, [`Stop::Error`] when the binary cannot be executed.
    pub fn try_create(&self, bundle: &Bundle) -> StepResult<Attempt<'_>> {
        self.call_create(&self.dir, bundle, self.values(bundle), Vec::new())
    }

    /// Calls `run` so that it comes back when the program has started, whatever comes of it.
    ///
    /// # Errors
    /// As [`Lab::try_create`].
    pub(crate) fn try_run_detached(&self, bundle: &Bundle) -> StepResult<Attempt<'_>> {
        self.attempt(Op::Run, &self.dir, bundle, self.values(bundle).with("detach", ""), Vec::new())
    }

    /// As [`Lab::try_create`], called in directory `from` and with other values: another name of the bundle, another
    /// id. A container of another id is not reached through the attempt; see [`Lab::call_id`].
    ///
    /// # Errors
    /// As [`Lab::try_create`].
    pub fn try_create_from(
        &self,
        from: &Path,
        bundle: &Bundle,
        other: impl FnOnce(Values) -> Values,
    ) -> StepResult<Attempt<'_>> {
        self.call_create(from, bundle, other(self.values(bundle)), Vec::new())
    }

    /// Calls `create` with descriptors that the program is to get from number 3 on (`--preserve-fds`).
    ///
    /// # Errors
    /// As [`Lab::try_create`].
    pub fn try_create_with(&self, bundle: &Bundle, fds: Vec<OwnedFd>) -> StepResult<Attempt<'_>> {
        let count = fds.len();
        self.try_create_saying(bundle, fds, count)
    }

    /// As [`Lab::try_create_with`], but says that there are `said` of them.
    ///
    /// # Errors
    /// As [`Lab::try_create`].
    pub fn try_create_saying(&self, bundle: &Bundle, fds: Vec<OwnedFd>, said: usize) -> StepResult<Attempt<'_>> {
        let values = self.values(bundle);
        let values = if said == 0 { values } else { values.with("preserve-fds", said.to_string()) };
        self.call_create(&self.dir, bundle, values, fds)
    }

    /// Calls `create` as a service manager does that listens: these descriptors are sockets that the program is to
    /// get, or that another process is to get. See `sd_listen_fds(3)`.
    ///
    /// # Errors
    /// As [`Lab::try_create`].
    pub fn try_create_activated(&self, bundle: &Bundle, fds: Vec<OwnedFd>, whose: Sockets) -> StepResult<Attempt<'_>> {
        let whose = if whose == Sockets::Own { "own" } else { "another" };
        let values = self.values(bundle).with_words(SOCKETS, &[&fds.len().to_string(), whose]);
        self.call_create(&self.dir, bundle, values, fds)
    }

    fn call_create(&self, from: &Path, bundle: &Bundle, values: Values, fds: Vec<OwnedFd>) -> StepResult<Attempt<'_>> {
        self.attempt(Op::Create, from, bundle, values, fds)
    }

    /// Calls `create`, or `run` so that it comes back.
    fn attempt(
        &self,
        op: Op,
        from: &Path,
        bundle: &Bundle,
        mut values: Values,
        fds: Vec<OwnedFd>,
    ) -> StepResult<Attempt<'_>> {
        let (mut stderr, err) = Capture::pipe(KEPT)?;
        let (mut channel, console, stdin, stdout) = if bundle.config.flag("/process/terminal") {
            let console = Console::bind(&self.dir.join(format!("c{}", self.made.get())))?;
            values = values.with("console-socket", console.path().to_string_lossy());
            (None, Some(console), null()?, null()?)
        } else {
            let (channel, input, output) = Channel::pipes(self.settings.timeout)?;
            (Some(channel), None, input, output)
        };
        if self.settings.fault.is_some_and(|fault| fault.ignores(op)) {
            let outcome = Outcome { op, ended: ENDED_WELL, stdout: String::new(), stderr: String::new() };
            return Ok(Attempt { lab: self, bundle: bundle.clone(), outcome, channel, console, stderr });
        }
        self.refusal.replace(None);
        if self.settings.fault == Some(Fault::Neutral(Neutral::Choosy)) && optional_features::is_asked(&bundle.config) {
            let outcome = refused(op, "not supported");
            self.note_refusal(&outcome, bundle);
            return Ok(Attempt { lab: self, bundle: bundle.clone(), outcome, channel, console, stderr });
        }
        match self.settings.fault {
            Some(Fault::GiveAway) => chown(bundle.rootfs(), Some(crate::containers::users::FIRST_ID), None)?,
            Some(Fault::Escape) => std::fs::write(bundle.dir.join("trap/ptmx"), "escaped")?,
            _ => {}
        }
        let fds = [stdin, stdout, err].into_iter().chain(fds).collect();
        let (running, command) = self.driver.start(op, &values, from, fds)?;
        let deadline = self.driver.deadline();
        let end = match &mut channel {
            Some(channel) => running.finish(&mut [channel.answers(), &mut stderr], deadline)?,
            None => running.finish(&mut [&mut stderr], deadline)?,
        };
        let outcome = self.driver.settle(op, command, &end, String::new(), stderr.text())?;
        self.note_refusal(&outcome, bundle);
        if let Some(fault) = self.settings.fault.filter(|_| outcome.succeeded()) {
            fault.after_create(self, bundle)?;
        }
        if self.settings.fault == Some(Fault::EagerStart) && op == Op::Create && outcome.succeeded() {
            self.call(Op::Start, &Values::default().with("id", &bundle.id))?.ok()?;
        }
        Ok(Attempt { lab: self, bundle: bundle.clone(), outcome, channel, console, stderr })
    }

    /// Keeps the configuration of a failed call of create or start.
    pub(crate) fn note_refusal(&self, outcome: &Outcome, bundle: &Bundle) {
        let refusal = outcome.refused().is_ok().then(|| Refusal { op: outcome.op, config: bundle.config.clone() });
        self.refusal.replace(refusal);
    }

    /// The container's process as the pid file names it, or else the state document.
    pub(crate) fn pid_of(&self, bundle: &Bundle) -> StepResult<Pid> {
        let named = self.named_in(&self.pid_file(bundle))?.and_then(|text| text.trim().parse().ok());
        let pid = match named {
            Some(pid) => Some(pid),
            None => {
                let state = self.call_id(Op::State, &bundle.id)?;
                let state: Value = serde_json::from_str(&state.stdout).unwrap_or_default();
                state["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok())
            }
        };
        pid.filter(|&pid: &i32| pid > 1)
            .map(Pid::from_raw)
            .ok_or_else(|| Stop::broken("create", "a container process, named by pid file or state", "none is named"))
    }
}

impl<'l> Attempt<'l> {
    /// The container, when create made one.
    ///
    /// # Errors
    /// [`Stop::Broken`] when create failed, or named no living process.
    pub fn container(self) -> StepResult<Container<'l>> {
        self.outcome.ok()?;
        let pid = self.lab.pid_of(&self.bundle)?;
        let channel = match (self.channel, self.console) {
            (Some(channel), _) => channel,
            (None, Some(console)) => {
                let master = console.receive(self.lab.driver.deadline())?;
                Channel::terminal(master, self.lab.settings.timeout)?
            }
            (None, None) => return Err(Stop::Error("an attempt without a channel".into())),
        };
        Container::new(self.lab, self.bundle, pid, channel, self.stderr)
    }
}
