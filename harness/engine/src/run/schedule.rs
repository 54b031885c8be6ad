//! Runs checks concurrently, each in its own process, and reports progress as [`Event`]s.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_reports::model::{self, Evidence, Finding, Verdict};

use crate::checks::check::Check;
use crate::checks::execute::{Done, ExecuteOptions, blank, execute, execute_batch, reached_words};
use crate::checks::need::{Abilities, Need};
use crate::guard::host_changes::HostChanges;
use crate::guard::{Change, undo_all};
use crate::run::workers::{Ended, WorkerOptions, Workers};
use crate::runtime::fault::{Fault, Neutral};
use crate::runtime::settings::Settings;
use crate::system::host_lock::Delay;

/// What happens during a run.
#[derive(Debug)]
pub enum Event<'e> {
    /// A check was started.
    Started(&'e str),
    /// A check has a verdict.
    Finished(&'e model::Check),
    /// The host changed while checks ran, and did not when each of them ran by itself.
    HostChanged {
        /// What changed.
        change: &'e Change,
        /// Whether it is left so: it was put back where another run was seen, whose runtime may have done it.
        left: bool,
    },
    /// The host was found changed, and put back, when an interruption kept the checks from running by themselves.
    Interrupted(&'e Change),
    /// Nothing is started for a while: another run has the host alone, or this one waits until the checks of others have ended.
    OthersFirst,
}

/// Checks to run in one container, or one check, as they are or behind a fault.
#[derive(Clone, Debug)]
pub struct Job<'c> {
    /// The checks. Several are cases that may share a container; see [`crate::checks::batch`].
    pub checks: Vec<&'c Check>,
    /// The fault that the engine poses with.
    pub fault: Option<Fault>,
    /// Whether nothing else may run meanwhile.
    pub exclusive: bool,
}

impl<'c> Job<'c> {
    /// Checks as they are.
    #[must_use]
    pub fn plain(checks: Vec<&'c Check>) -> Self {
        Self { checks, fault: None, exclusive: false }
    }

    /// One check behind a fault.
    #[must_use]
    pub fn with_fault(check: &'c Check, fault: Fault) -> Self {
        Self { checks: vec![check], fault: Some(fault), exclusive: false }
    }

    /// Whether one of the checks may wait for a deadline, or the runtime is made to wait.
    fn waits(&self) -> bool {
        self.fault == Some(Fault::Neutral(Neutral::Sluggish)) || self.checks.iter().any(|check| check.waits())
    }

    /// What the checks want to find around them. The options of cgroup version 2 can be lost from the host's cgroup namespace
    /// alone, and a budget is given to those alone that ask for it, since a host has not enough for all.
    fn worker_options(&self) -> WorkerOptions {
        let needs = || self.checks.iter().flat_map(|check| check.needs());
        let is_budget = |need: &Need| matches!(need, Need::Knob(knob) if knob.v1 == "cpu.rt_runtime_us");
        WorkerOptions { host_groups: needs().any(|need| *need == Need::Nsdelegate), real_time: needs().any(is_budget) }
    }

    /// The same for one of the checks.
    fn alone(&self, check: &'c Check, exclusive: bool) -> Self {
        Self { checks: vec![check], fault: self.fault, exclusive }
    }
}

/// How to run.
pub struct Plan<'p> {
    /// What the checks share.
    pub settings: &'p Settings,
    /// What host and runtime have.
    pub abilities: &'p Abilities,
    /// How many checks run at once, besides those that wait.
    pub jobs: usize,
    /// The longest that one check may take.
    pub limit: Duration,
    /// What to keep and how to replay.
    pub options: &'p ExecuteOptions,
    /// Asked between checks: whether to stop.
    pub interrupted: &'p dyn Fn() -> bool,
}

/// What is left to do, and what has come of the rest.
struct RunState<'c> {
    waiting: VecDeque<(usize, Job<'c>)>,
    results: Vec<(usize, model::Check)>,
    host: HostChanges,
    /// The configurations that were seen to run.
    controls: Arc<BTreeSet<u64>>,
}

/// What is said of a check whose process died, or sent something else than its result.
const NO_RESULT: &str = "the process of the check died without a result";

/// What is said of a check that ran beside others when the host changed for good.
const STUCK: &str = "the host changed while this check ran beside others, and cannot be put back: the runtime may have done it, or \
                     another program";

/// The result of a check that cannot be tried again on the host as it was.
fn stuck(check: &Check, changes: &[Finding]) -> model::Check {
    model::Check { verdict: Verdict::Error, reason: STUCK.to_owned(), findings: changes.to_vec(), ..blank(check) }
}

/// Whether the next job may start, as far as other runs on this host are concerned.
fn has_turn(state: &mut RunState<'_>, workers: &Workers<Task<'_>>) -> io::Result<bool> {
    let Some((_, next)) = state.waiting.front() else { return Ok(false) };
    let exclusive = next.exclusive;
    if workers.is_empty() {
        state.host.let_others_in()?;
    }
    let lock = state.host.lock();
    if exclusive { Ok(workers.is_empty() && lock.have_alone()?) } else { lock.share() }
}

/// A job under way, and its number.
type Task<'c> = (usize, Job<'c>);

impl Plan<'_> {
    /// Runs the jobs and returns the result of each of their checks, with the number of the job, in the order of the
    /// jobs. Those that an interruption kept from running are missing.
    ///
    /// # Errors
    /// When the harness cannot fork or wait.
    pub fn run(&self, jobs: Vec<Job<'_>>, mut tell: impl FnMut(Event<'_>)) -> io::Result<Vec<(usize, model::Check)>> {
        let mut waiting: Vec<Task<'_>> = jobs.into_iter().enumerate().collect();
        waiting.sort_by_key(|(_, job)| !job.waits());
        let host = HostChanges::new(&self.settings.kernel);
        let controls = Arc::clone(&self.settings.controls);
        let mut state = RunState { waiting: waiting.into(), results: Vec::new(), host, controls };
        let mut workers: Workers<Task<'_>> = Workers::new(self.settings, self.limit);
        let worked = self.work(&mut state, &mut workers, &mut tell);
        if !matches!(worked, Ok(true)) {
            let left = workers.kill_all().and_then(|()| state.host.leave());
            worked?;
            left?.iter().for_each(|change| tell(Event::Interrupted(change)));
        }
        state.results.sort_by_key(|(number, _)| *number);
        Ok(state.results)
    }

    /// Works until no job is left. False when it was interrupted before.
    fn work<'c>(
        &self,
        state: &mut RunState<'c>,
        workers: &mut Workers<Task<'c>>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> io::Result<bool> {
        let mut delay = Delay::default();
        while !(state.waiting.is_empty() && workers.is_empty()) {
            if (self.interrupted)() {
                return Ok(false);
            }
            while has_turn(state, workers)?
                && let Some((number, job)) = self.next(state, workers)
            {
                delay = Delay::default();
                self.start(number, job, workers, state, tell)?;
            }
            if workers.is_empty() && !state.waiting.is_empty() && delay.wait()? {
                tell(Event::OthersFirst);
            }
            for ended in workers.ended()? {
                self.settle(workers, ended, state, tell)?;
            }
            if !state.waiting.iter().chain(workers.tasks()).any(|(_, job)| job.exclusive) {
                let changes = state.host.accept()?;
                changes.iter().for_each(|(change, left)| tell(Event::HostChanged { change, left: *left }));
            }
        }
        Ok(true)
    }

    /// What to start now. An exclusive job is first in the queue, and waits until all others have ended. Those that wait take
    /// no slots: as many of them run in addition, unless only one job at a time is wanted.
    fn next<'c>(&self, state: &mut RunState<'c>, workers: &Workers<Task<'c>>) -> Option<Task<'c>> {
        let is_exclusive = |(_, job): &Task<'_>| job.exclusive;
        if workers.tasks().chain(state.waiting.front()).any(is_exclusive) {
            return if workers.is_empty() { state.waiting.pop_front() } else { None };
        }
        let has_room = |(_, job): &Task<'_>| {
            let alike = workers.tasks().filter(|(_, other)| self.jobs == 1 || other.waits() == job.waits());
            alike.count() < self.jobs
        };
        let place = state.waiting.iter().position(has_room)?;
        state.waiting.remove(place)
    }

    /// Sets a process apart for those checks of a job that have what they need; the others are skipped.
    fn start<'c>(
        &self,
        number: usize,
        mut job: Job<'c>,
        workers: &mut Workers<Task<'c>>,
        state: &mut RunState<'c>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> io::Result<()> {
        job.checks.retain(|check| {
            let lacks = || self.abilities.profile.reason_to_skip(&check.id).map(str::to_owned);
            let reason = check.needs().find_map(|need| need.unmet(self.abilities)).or_else(lacks);
            let Some(reason) = reason else { return true };
            let skipped = model::Check { reason, ..blank(check) };
            tell(Event::Finished(&skipped));
            state.results.push((number, skipped));
            false
        });
        if job.checks.is_empty() {
            return Ok(());
        }
        job.checks.iter().for_each(|check| tell(Event::Started(&check.id)));
        if job.exclusive {
            state.host.put_back()?;
            if !state.host.stuck().is_empty() {
                for result in job.checks.iter().map(|check| stuck(check, state.host.stuck())) {
                    tell(Event::Finished(&result));
                    state.results.push((number, result));
                }
                return Ok(());
            }
        }
        let (kernel, controls) = (state.host.expected(), Arc::clone(&state.controls));
        let exclusive = job.exclusive;
        workers.start_with(job.worker_options(), (number, job.clone()), |tag| {
            let settings = Settings { kernel, controls, exclusive, ..self.settings.with_fault(job.fault) };
            let done = match job.checks.as_slice() {
                [check] => execute(check, &settings, tag, self.options),
                several => execute_batch(several, &settings, tag),
            };
            serde_json::to_vec(&done).unwrap_or_default()
        })
    }

    /// Takes the results of a process. The checks of a batch that have none are put back, each alone; where the host
    /// as a whole has changed, each exclusively.
    fn settle<'c>(
        &self,
        workers: &Workers<Task<'c>>,
        ended: Ended<Task<'c>>,
        state: &mut RunState<'c>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> io::Result<()> {
        let done = match ended.output.as_deref().and_then(|output| serde_json::from_slice::<Done>(output).ok()) {
            Some(done) => done,
            None => self.without_result(workers, &ended, &state.host)?,
        };
        let (number, job) = ended.task;
        Arc::make_mut(&mut state.controls).extend(done.controls);
        if job.exclusive {
            state.host.blame(&done.changes);
        }
        let disturbed = !done.changes.is_empty();
        let again = !job.exclusive && (disturbed || job.checks.len() > 1);
        for check in job.checks.iter().copied().rev() {
            let result = match done.results.iter().find(|result| result.id == check.id) {
                Some(result) => result.clone(),
                None if again => {
                    state.waiting.push_front((number, job.alone(check, disturbed)));
                    continue;
                }
                None => {
                    let evidence = Some(self.only_replay(check));
                    model::Check { verdict: Verdict::Error, reason: NO_RESULT.to_owned(), evidence, ..blank(check) }
                }
            };
            tell(Event::Finished(&result));
            state.results.push((number, result));
        }
        Ok(())
    }

    /// What is known of a check whose process sent no result.
    fn only_replay(&self, check: &Check) -> Evidence {
        Evidence { replay: self.options.replay_of(check), ..Evidence::default() }
    }

    /// Cleans up after a process that died, was ended or sent something else than its result, and says so if it had a
    /// single check.
    fn without_result(
        &self,
        workers: &Workers<Task<'_>>,
        ended: &Ended<Task<'_>>,
        host: &HostChanges,
    ) -> io::Result<Done> {
        workers.clean_up(ended)?;
        let changes = host.look()?;
        let (_, job) = &ended.task;
        let [check] = job.checks.as_slice() else { return Ok(Done { changes, ..Done::default() }) };
        if !changes.is_empty() && !job.exclusive {
            return Ok(Done { changes, ..Done::default() });
        }
        let reached = reached_words(&ended.reached);
        let (verdict, reason) = if ended.late {
            let reached = reached.map(|words| format!("; {words}")).unwrap_or_default();
            (Verdict::Timeout, format!("the check did not end within {:?}{reached}", self.limit))
        } else if let Some(words) = reached {
            (Verdict::Fail, format!("the process of the check died without a result: {words}"))
        } else {
            (Verdict::Error, NO_RESULT.to_owned())
        };
        let evidence = Some(self.only_replay(check));
        let result = model::Check { verdict, reason, findings: undo_all(&changes), evidence, ..blank(check) };
        Ok(Done { results: vec![result], changes, ..Done::default() })
    }
}
