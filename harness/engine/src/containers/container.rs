//! A container under test: its operations, its process, and the channel to the probe.

mod observe;

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use plimsoll_fixtures::Bundle;
use plimsoll_fixtures::probe::{CONTAINER, Hello};
use serde_json::Value;

use crate::containers::channel::Channel;
use crate::containers::lab::Lab;
use crate::containers::way::Call;
use crate::runtime::describe::Describe;
use crate::runtime::fault::Fault;
use crate::runtime::judgement::{Outcome, StepResult, Stop};
use crate::runtime::profile::{Op, Values};
use crate::system::orphans;
use crate::system::process::{Capture, Ended, wait_readable};

/// A container that `create` said it made, and whose process was found alive.
#[derive(Debug)]
pub struct Container<'l> {
    pub(crate) lab: &'l Lab<'l>,
    /// What it was made from.
    pub bundle: Bundle,
    /// Its process, as this process sees it.
    pub pid: Pid,
    pidfd: OwnedFd,
    channel: RefCell<Channel>,
    stderr: RefCell<Capture>,
    eager: bool,
    hello: Cell<Option<u64>>,
    /// The call of `run` that ends with the program.
    call: RefCell<Option<Call>>,
}

/// What `state` printed.
#[derive(Clone, Debug, PartialEq)]
pub struct State(pub Value);

impl State {
    /// The member `status`, or what stands there instead.
    #[must_use]
    pub fn status(&self) -> String {
        self.0["status"].as_str().map_or_else(|| self.0["status"].to_string(), str::to_owned)
    }

    /// The member `pid`.
    #[must_use]
    pub fn pid(&self) -> Option<i64> {
        self.0["pid"].as_i64()
    }
}

/// A process that was only claimed to be a container's shares the mounts of the host. One namespace is looked at and no
/// more: the others have checks of their own, which are to be the ones that turn red.
fn confirm_set_apart(lab: &Lab<'_>, bundle: &Bundle, pid: Pid) -> StepResult {
    let asked = bundle.config.namespace("mount").is_some_and(|mount| mount.get("path").is_none());
    if !asked || !lab.settings.profile.shares_kernel {
        return Ok(());
    }
    // One that has ended has no namespaces any more.
    let seen = fs::read_link(format!("/proc/{pid}/ns/mnt")).map_err(|why| match why.kind() {
        ErrorKind::NotFound => Stop::broken("the process that create named", "alive until start", "it has ended"),
        _ => why.into(),
    })?;
    if seen != fs::read_link("/proc/self/ns/mnt")? {
        return Ok(());
    }
    Err(Stop::broken(
        "the process that create named",
        "isolated from the host",
        format!("pid {pid} is in {}", seen.display()),
    ))
}

/// A runtime that starts the program without regard to the configuration passes no check by luck: the program must have
/// the variable that names the container, where the configuration sets it.
fn confirm_configured(bundle: &Bundle, hello: &Hello) -> StepResult {
    let name = |entry: &Value| Some(entry.as_str()?.strip_prefix(CONTAINER)?.strip_prefix('=')?.to_owned());
    let env = bundle.config.get("/process/env").and_then(Value::as_array);
    let Some(expected) = env.into_iter().flatten().find_map(name) else { return Ok(()) };
    if hello.container.as_ref() == Some(&expected) {
        return Ok(());
    }
    let observed =
        hello.container.as_deref().map_or_else(|| "it is not set".to_owned(), |seen| format!("it is {seen}"));
    Err(Stop::broken(format!("variable {CONTAINER} of the program"), format!("{expected}, as configured"), observed))
}

impl<'l> Container<'l> {
    pub(crate) fn new(
        lab: &'l Lab<'l>,
        bundle: Bundle,
        pid: Pid,
        channel: Channel,
        stderr: Capture,
    ) -> StepResult<Self> {
        let pidfd = crate::system::sys::pidfd_open(pid).map_err(|why| {
            Stop::broken("the process that create named", "alive until start", format!("pid {pid}: {why}"))
        })?;
        confirm_set_apart(lab, &bundle, pid)?;
        let eager = lab.settings.fault == Some(Fault::EagerStart);
        let (channel, stderr) = (RefCell::new(channel), RefCell::new(stderr));
        Ok(Self { lab, bundle, pid, pidfd, channel, stderr, eager, hello: Cell::new(None), call: RefCell::default() })
    }

    /// The container id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.bundle.id
    }

    pub(crate) fn values(&self) -> Values {
        Values::default().with("id", self.id())
    }

    /// Calls an operation on this container, with further values.
    ///
    /// # Errors
    /// As [`Driver::call`](crate::runtime::driver::Driver::call).
    pub fn call(&self, op: Op, more: impl FnOnce(Values) -> Values) -> StepResult<Outcome> {
        self.lab.call(op, &more(self.values()))
    }

    /// The operation `start`.
    ///
    /// # Errors
    /// As [`Container::call`].
    pub fn start(&self) -> StepResult<Outcome> {
        if self.eager && self.hello.get().is_none() {
            let (op, ended) = (Op::Start, Ended::Exit(0));
            return Ok(Outcome { op, ended, stdout: String::new(), stderr: String::new() });
        }
        let outcome = self.call(Op::Start, |values| values)?;
        self.lab.note_refusal(&outcome, &self.bundle);
        if let Some(fault) = self.lab.settings.fault {
            fault.after_start(self.pid)?;
        }
        Ok(outcome)
    }

    /// Starts the container and waits for the probe inside to speak; the process that the runtime named must be it.
    ///
    /// # Errors
    /// [`Stop::Broken`] when `start` fails, the probe keeps silent, or the process is another.
    pub fn started(&self) -> StepResult<Hello> {
        self.start()?.ok()?;
        self.greeted_as_configured()
    }

    /// Waits for the probe inside to speak, and sees that it is the configured program.
    pub(crate) fn greeted_as_configured(&self) -> StepResult<Hello> {
        let hello = self.greeted()?;
        self.confirm_greeting(&hello)?;
        Ok(hello)
    }

    /// What has spoken is the configured program, and the process that the runtime named.
    pub(crate) fn confirm_greeting(&self, hello: &Hello) -> StepResult {
        confirm_configured(&self.bundle, hello)?;
        self.lab.has_run.set(true);
        if self.lab.settings.profile.shares_kernel { self.confirm(hello) } else { Ok(()) }
    }

    /// This call of `run` lasts as long as the program, and deletes the container then.
    pub(crate) fn is_in_foreground(&self, call: Call) {
        self.call.replace(Some(call));
    }

    /// Waits for the probe inside to speak.
    ///
    /// # Errors
    /// [`Stop::Broken`] when the process ends or keeps silent.
    pub fn greeted(&self) -> StepResult<Hello> {
        let hello = self.channel.borrow_mut().hello(&self.pidfd)?;
        let hello = hello.ok_or_else(|| {
            Stop::broken("the program in the container", "runs after start", format!("ended: {}", self.stderr()))
        })?;
        self.hello.set(Some(hello.at));
        Ok(hello)
    }

    /// The process that the runtime named is the one that speaks: the same program, and the same number inside.
    fn confirm(&self, hello: &Hello) -> StepResult {
        let seen = self.observe()?;
        let inside = seen.status.nspid.last().copied();
        if inside == Some(hello.pid) && seen.exe.ends_with("/probe") {
            return Ok(());
        }
        let observed = format!("pid {} is {} with number {} inside", self.pid, seen.exe, inside.describe());
        Err(Stop::broken("the process that create named", format!("the program, {} inside", hello.pid), observed))
    }

    /// Whether the program has said anything yet; does not wait.
    #[must_use]
    pub fn has_spoken(&self) -> bool {
        self.channel.borrow_mut().has_spoken()
    }

    /// What came out of the program's standard output that the program did not say.
    #[must_use]
    pub fn noise(&self) -> String {
        self.channel.borrow().noise().to_owned()
    }

    /// The operation `state`, as it answered.
    ///
    /// # Errors
    /// As [`Container::call`].
    pub fn query_state(&self) -> StepResult<Outcome> {
        self.call(Op::State, |values| values)
    }

    /// The state document.
    ///
    /// # Errors
    /// [`Stop::Broken`] when `state` fails or prints no JSON object.
    pub fn state(&self) -> StepResult<State> {
        let outcome = self.query_state()?;
        outcome.ok()?;
        match serde_json::from_str::<Value>(&outcome.stdout) {
            Ok(state) if state.is_object() => Ok(State(state)),
            Ok(_) | Err(_) => Err(Stop::broken("the output of state", "a JSON object", outcome.stdout)),
        }
    }

    /// The operation `kill`.
    ///
    /// # Errors
    /// As [`Container::call`].
    pub fn kill(&self, signal: Signal) -> StepResult<Outcome> {
        let name = self.lab.settings.profile.signal(signal);
        self.call(Op::Kill, |values| values.with("signal", name))
    }

    /// The operation `delete`.
    ///
    /// # Errors
    /// As [`Container::call`].
    pub fn delete(&self) -> StepResult<Outcome> {
        self.delete_with(|values| values)
    }

    /// The operation `delete` by force.
    ///
    /// # Errors
    /// As [`Container::call`].
    pub fn delete_by_force(&self) -> StepResult<Outcome> {
        self.delete_with(|values| values.with("force", ""))
    }

    fn delete_with(&self, more: impl FnOnce(Values) -> Values) -> StepResult<Outcome> {
        let outcome = self.call(Op::Delete, more)?;
        if let Some(fault) = self.lab.settings.fault {
            fault.after_delete(self.lab, &self.bundle)?;
        }
        Ok(outcome)
    }

    /// Whether its process has not ended. A zombie has.
    ///
    /// # Errors
    /// When `poll(2)` fails.
    pub fn is_alive(&self) -> StepResult<bool> {
        Ok(!wait_readable(&[&self.pidfd], Instant::now())?)
    }

    /// Waits for the end of its process and reaps it, as a caller of the runtime does.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it is still alive at the deadline.
    pub fn wait(&self) -> StepResult {
        self.ended()?;
        self.reap();
        Ok(())
    }

    /// Waits for the end of its process and leaves it a zombie, as a slow caller of the runtime does.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it is still alive at the deadline.
    pub fn ended(&self) -> StepResult {
        let deadline = self.lab.driver.deadline();
        // Its end waits for that of all processes in its pid namespace, those included that only we can reap; new ones
        // may turn up meanwhile.
        while !wait_readable(&[&self.pidfd], deadline.min(Instant::now() + Duration::from_millis(20)))? {
            orphans::reap().map_err(Stop::error("reap what the runtime has left to us"))?;
            if Instant::now() >= deadline {
                return Err(Stop::broken("the container's process", "ends", "still alive at the deadline"));
            }
        }
        Ok(())
    }

    /// A zombie init makes some runtimes wait for seconds, so it is taken at once. It may not be our child.
    fn reap(&self) {
        match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(_) | Err(_) => {}
        }
    }

    /// Lets the program end by itself and waits for it.
    ///
    /// # Errors
    /// As [`Container::wait`].
    pub fn finish(&self) -> StepResult {
        self.channel.borrow_mut().close();
        self.wait()
    }

    /// Ends the program, and deletes the container, unless a call of `run` does that.
    ///
    /// # Errors
    /// [`Stop::Broken`] when delete fails.
    pub fn finish_and_delete(&self) -> StepResult {
        self.finish()?;
        match self.call.take() {
            Some(call) => call.end(self.lab, &mut self.channel.borrow_mut(), &mut self.stderr.borrow_mut())?.ok(),
            None => self.delete()?.ok(),
        }
    }

    /// What runtime and program have written to standard error since create.
    #[must_use]
    pub fn stderr(&self) -> String {
        let mut stderr = self.stderr.borrow_mut();
        stderr.drain();
        stderr.text()
    }
}
