//! Executes a sequence of steps and compares each outcome, the state and the process with the model.

use std::fs;
use std::os::fd::OwnedFd;

use plimsoll_engine::container::Container;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fuzz_case::CaseResult;
use plimsoll_engine::guarded::run_guarded;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::process::{Capture, KEPT, null};
use plimsoll_engine::profile::{Op, Values};
use plimsoll_engine::settings::Settings;
use plimsoll_fixtures::Bundle;
use serde_json::Value;

use super::machine::End::{Refused, Worked};
use super::machine::Phase::{Absent, Created, Doomed, Paused, Running, Stopped};
use super::machine::{End, PossiblePhases};
use super::step::{Call, Signal, Step};

/// The properties of lifecycles, and the clauses that they rest on.
pub const CITES: &[(&str, &str)] = &[
    ("model.create", "runtime.create.makes-container"),
    ("model.create", "runtime.create.duplicate-id-error"),
    ("model.start", "runtime.start.runs-program"),
    ("model.start", "runtime.start.not-created-error"),
    ("model.state", "runtime.query-state.returns-state"),
    ("model.state", "runtime.query-state.unknown-id-error"),
    ("model.kill", "runtime.kill.delivers-signal"),
    ("model.kill", "runtime.kill.wrong-state-error"),
    ("model.delete", "runtime.delete.removes-created-resources"),
    ("model.delete", "runtime.delete.not-stopped-error"),
    ("model.delete-force", "runtime.operations.cli-not-specified"),
    ("model.pause", "runtime.operations.cli-not-specified"),
    ("model.resume", "runtime.operations.cli-not-specified"),
    ("model.exec", "runtime.operations.cli-not-specified"),
    ("model.update", "runtime.operations.cli-not-specified"),
    (AT_ONCE, "runtime.errors.no-side-effects"),
    (PHASE, "runtime.query-state.returns-state"),
    (PHASE, "runtime.lifecycle.config-edits-ignored"),
    (LEAVES_NOTHING, "runtime.delete.removes-created-resources"),
    (IN_TIME, "runtime.operations.supported"),
];

/// Of calls at once, some order explains what they came to.
const AT_ONCE: &str = "model.at-once";
/// The process and the state are as the phase has them.
const PHASE: &str = "model.phase";
/// After the last delete the host is as before.
const LEAVES_NOTHING: &str = "model.leaves-nothing";
/// No call hangs.
const IN_TIME: &str = "model.in-time";

/// Plays the steps, in a process that is isolated.
#[must_use]
pub fn attempt(steps: &[Step], settings: &Settings, tag: &str) -> CaseResult {
    let mut result = CaseResult::default();
    match run_guarded(settings, tag, |lab| execute(steps, lab, &mut result)) {
        Ok(done) => {
            let property = match &done.result {
                Err(Stop::Broken(finding)) if CITES.iter().any(|(known, _)| *known == finding.what) => {
                    finding.what.clone()
                }
                _ => PHASE.to_owned(),
            };
            done.settle(&property, LEAVES_NOTHING, IN_TIME, &mut result);
        }
        Err(why) => result.error = Some(format!("set-up: {why}")),
    }
    result
}

fn execute(steps: &[Step], lab: &Lab<'_>, result: &mut CaseResult) -> StepResult {
    let mut actors: Vec<Actor<'_>> = (0..2).map(|number| Actor::new(lab, number)).collect();
    for step in steps {
        let (Step::One(slot, _) | Step::AtOnce(slot, _) | Step::Exit(slot) | Step::Edit(slot)) = step;
        let judged = actors[usize::from(slot % 2)].execute(step)?;
        if let Some(property) = judged {
            result.judged.insert(property.to_owned());
        }
        actors.iter_mut().try_for_each(|actor| actor.look(step))?;
    }
    actors.iter_mut().try_for_each(Actor::leave)
}

/// One id, and what is known of it.
struct Actor<'l> {
    lab: &'l Lab<'l>,
    id: String,
    known: PossiblePhases,
    container: Option<Container<'l>>,
    bundle: Option<Bundle>,
}

impl<'l> Actor<'l> {
    fn new(lab: &'l Lab<'l>, number: usize) -> Self {
        let id = format!("{}-id{number}", lab.tag);
        Self { lab, id, known: PossiblePhases::absent(), container: None, bundle: None }
    }

    /// Plays a step, unless nothing is said of it in this phase at all. The property that was judged.
    fn execute(&mut self, step: &Step) -> StepResult<Option<&'static str>> {
        match step {
            Step::One(_, call) if self.is_specified(*call) => self.one(*call).map(|()| Some(call.property())),
            Step::AtOnce(_, calls) if calls.iter().all(|call| self.is_specified(*call)) => {
                self.at_once(calls).map(|()| Some(AT_ONCE))
            }
            Step::Exit(_) if self.known.is_one_of(&[Running]) => self.exit().map(|()| Some(PHASE)),
            Step::Edit(_) => self.edit().map(|()| Some(PHASE)),
            _ => Ok(None),
        }
    }

    /// Whether the model says anything of a call now. It does not say what a signal does to a process that is not yet the
    /// program, nor what becomes of a start or an exec in a frozen container, which may wait for the thaw.
    fn is_specified(&self, call: Call) -> bool {
        let op = match call {
            Call::Create => Op::Create,
            Call::Start => Op::Start,
            Call::State => Op::State,
            Call::Kill(_) => Op::Kill,
            Call::Delete | Call::DeleteForce => Op::Delete,
            Call::Pause => Op::Pause,
            Call::Resume => Op::Resume,
            Call::Exec => Op::Exec,
            Call::Update => Op::Update,
        };
        let known = &self.known;
        self.lab.driver.has(op)
            && match call {
                Call::Kill(Signal::Kill) | Call::Create | Call::State | Call::Delete | Call::DeleteForce => true,
                Call::Kill(_) => known.is_one_of(&[Running]) || known.is_one_of(&[Absent, Stopped]),
                Call::Start => known.is_one_of(&[Absent, Created, Running, Stopped]),
                Call::Exec | Call::Pause => known.is_one_of(&[Absent, Running, Stopped]),
                Call::Update | Call::Resume => known.is_one_of(&[Absent, Running, Paused, Stopped]),
            }
    }

    fn values(&self, call: Call) -> StepResult<(Op, Values)> {
        let values = Values::default().with("id", &self.id);
        Ok(match call {
            Call::Create => (Op::Create, values),
            Call::Start => (Op::Start, values),
            Call::State => (Op::State, values),
            Call::Kill(signal) => {
                let signal = match signal {
                    Signal::Kill => nix::sys::signal::Signal::SIGKILL,
                    Signal::Term => nix::sys::signal::Signal::SIGTERM,
                    Signal::Usr1 => nix::sys::signal::Signal::SIGUSR1,
                    Signal::Cont => nix::sys::signal::Signal::SIGCONT,
                };
                (Op::Kill, values.with("signal", self.lab.settings.profile.signal(signal)))
            }
            Call::Delete => (Op::Delete, values),
            Call::DeleteForce => (Op::Delete, values.with("force", "")),
            Call::Pause => (Op::Pause, values),
            Call::Resume => (Op::Resume, values),
            Call::Exec => (Op::Exec, values.with_words("args", &["/probe", "exit=0"])),
            Call::Update => {
                let path = self.lab.dir.join("resources.json");
                fs::write(&path, r#"{"pids":{"limit":100}}"#).map_err(Stop::error("write the resources of update"))?;
                (Op::Update, values.with("resources", path.to_string_lossy()))
            }
        })
    }

    fn one(&mut self, call: Call) -> StepResult {
        let (end, said) = if call == Call::Create {
            self.create()?
        } else {
            let (op, values) = self.values(call)?;
            let outcome = self.lab.call(op, &values)?;
            (end(call.property(), &outcome.ended, &outcome.said())?, outcome.said())
        };
        let after = self.known.after(call, end);
        self.accept(call.property(), after, || format!("{call} ended with {said}"))?;
        self.settle(call, end)
    }

    /// Another `create` of the same id, from a new bundle.
    fn create(&mut self) -> StepResult<(End, String)> {
        let made = self.lab.bundle(|recipe| recipe)?;
        let bundle = Bundle { id: self.id.clone(), ..made };
        let attempt = self.lab.try_create(&bundle)?;
        let said = attempt.outcome.said();
        let end = end(Call::Create.property(), &attempt.outcome.ended, &said)?;
        if end == Worked && self.known.is_one_of(&[Absent]) {
            self.container = Some(attempt.container()?);
            self.bundle = Some(bundle);
        }
        Ok((end, said))
    }

    /// Starts all calls before it waits for the end of any.
    fn at_once(&mut self, calls: &[Call]) -> StepResult {
        let mut running = Vec::new();
        for call in calls {
            let (op, values) = self.values(*call)?;
            let (stderr, err) = Capture::pipe(KEPT)?;
            let fds: Vec<OwnedFd> = vec![null()?, null()?, err];
            running.push((*call, op, stderr, self.lab.driver.start(op, &values, &self.lab.dir, fds)?));
        }
        let mut ends = Vec::new();
        for (call, op, mut stderr, (process, command)) in running {
            let finished = process.finish(&mut [&mut stderr], self.lab.driver.deadline())?;
            let outcome = self.lab.driver.settle(op, command, &finished, String::new(), stderr.text())?;
            ends.push((call, end(AT_ONCE, &outcome.ended, &outcome.said())?));
        }
        let after = self.known.after_at_once(&ends);
        let said = || ends.iter().map(|(call, end)| format!("{call} {}", end.describe())).collect::<Vec<_>>();
        self.accept(AT_ONCE, after, || said().describe())?;
        let worked = |wanted: &[Call]| ends.iter().any(|(call, end)| *end == Worked && wanted.contains(call));
        if worked(&[Call::Kill(Signal::Kill), Call::DeleteForce]) {
            self.ended()?;
        } else if worked(&[Call::Start]) {
            self.greet()?;
        }
        Ok(())
    }

    fn exit(&mut self) -> StepResult {
        if let Some(container) = &self.container {
            container.finish().map_err(rename)?;
        }
        self.known = PossiblePhases([Stopped].into());
        Ok(())
    }

    /// The container must not feel it.
    fn edit(&mut self) -> StepResult {
        match &self.bundle {
            Some(bundle) => Ok(bundle.write_config(b"{ \"ociVersion\": \"nothing\" }")?),
            None => Ok(()),
        }
    }

    /// What a call that worked does to the process takes a moment.
    fn settle(&mut self, call: Call, end: End) -> StepResult {
        match (call, end) {
            (Call::Start, Worked) => self.greet(),
            (Call::Kill(_) | Call::DeleteForce | Call::Delete | Call::Resume, Worked)
                if self.known.is_one_of(&[Stopped, Absent]) =>
            {
                self.ended()
            }
            _ => Ok(()),
        }
    }

    fn greet(&self) -> StepResult {
        self.container.as_ref().map_or(Ok(()), |container| container.greeted().map(drop).map_err(rename))
    }

    fn ended(&self) -> StepResult {
        self.container.as_ref().map_or(Ok(()), |container| container.wait().map_err(rename))
    }

    fn accept(&mut self, property: &str, after: PossiblePhases, said: impl FnOnce() -> String) -> StepResult {
        if after.0.is_empty() {
            let expected = format!("what the model allows in the phase {}", self.known.0.describe());
            return Err(Stop::broken(property, expected, said()));
        }
        self.known = after;
        Ok(())
    }

    /// The state and the process, after each step: also of the id that the step was not about.
    fn look(&mut self, step: &Step) -> StepResult {
        let lives = match &self.container {
            Some(container) => container.is_alive()?,
            None => false,
        };
        let after = self.known.where_process(lives);
        self.accept(PHASE, after, || format!("after `{step}` the process is alive: {lives}"))?;
        let state = self.lab.call_id(Op::State, &self.id)?;
        let ended = end(Call::State.property(), &state.ended, &state.said())?;
        let document: Value = serde_json::from_str(&state.stdout).unwrap_or_default();
        let status = (ended == Worked).then(|| document["status"].as_str().unwrap_or("no status"));
        let after = self.known.where_status(status);
        self.accept(PHASE, after, || format!("after `{step}` the status is {}", status.describe()))?;
        if self.known.is_one_of(&[Absent]) {
            self.container = None;
        }
        Ok(())
    }

    /// Takes away what is left, as a user would.
    fn leave(&mut self) -> StepResult {
        if self.known.is_one_of(&[Absent]) {
            return Ok(());
        }
        if self.known.is_one_of(&[Paused, Doomed]) && self.lab.driver.has(Op::Resume) {
            let resumed = self.lab.call_id(Op::Resume, &self.id)?;
            let dies = self.known.is_one_of(&[Doomed]);
            if !resumed.succeeded() && !dies {
                return Err(Stop::broken("model.resume", "works at last", resumed.said()));
            }
            self.known = PossiblePhases([Running].into());
        }
        if !self.known.is_one_of(&[Stopped]) {
            // What was frozen with a signal to come has died of it now.
            let killed = self.lab.call_id(Op::Kill, &self.id)?;
            if !killed.succeeded() && self.container.as_ref().is_some_and(|it| it.is_alive().unwrap_or(false)) {
                return Err(Stop::broken("model.kill", "works at last", killed.said()));
            }
        }
        self.ended()?;
        let deleted = self.lab.call_id(Op::Delete, &self.id)?;
        if deleted.succeeded() {
            return Ok(());
        }
        Err(Stop::broken("model.delete", "works at last", deleted.said()))
    }
}

/// A death by signal is no way for a call to end.
fn end(property: &str, ended: &plimsoll_engine::process::Ended, said: &str) -> StepResult<End> {
    match ended {
        plimsoll_engine::process::Ended::Exit(0) => Ok(Worked),
        plimsoll_engine::process::Ended::Exit(_) => Ok(Refused),
        _ => Err(Stop::broken(property, "an exit code", said)),
    }
}

/// What the process does wrong is a matter of the phase.
fn rename(stop: Stop) -> Stop {
    match stop {
        Stop::Broken(finding) => {
            Stop::broken(PHASE, finding.expected, format!("{}: {}", finding.what, finding.observed))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_have_their_order() {
        assert!(PossiblePhases([Created].into()).is_one_of(&[Created, Running]));
    }
}
