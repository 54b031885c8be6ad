//! Runs checks side by side, each in a process of its own, and tells what happens as a stream of [`Event`]s.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use plimsoll_reports::model::{self, Verdict};

use crate::check::Check;
use crate::conduct::{Wishes, blank, conduct, conduct_together};
use crate::crew::{Crew, Ended};
use crate::fault::Fault;
use crate::need::Abilities;
use crate::settings::Settings;

/// What happens during a run.
#[derive(Debug)]
pub enum Event<'e> {
    /// A check was started.
    Started(&'e str),
    /// A check has a verdict.
    Finished(&'e model::Check),
}

/// Checks to run in one container, or one check, as they are or behind a fault.
#[derive(Clone, Debug)]
pub struct Job<'c> {
    /// The checks. Several are cases that may share a container; see [`crate::company`].
    pub checks: Vec<&'c Check>,
    /// The fault that the engine poses with.
    pub fault: Option<Fault>,
}

impl<'c> Job<'c> {
    /// Checks as they are.
    #[must_use]
    pub fn plain(checks: Vec<&'c Check>) -> Self {
        Self { checks, fault: None }
    }

    /// One check behind a fault.
    #[must_use]
    pub fn posed(check: &'c Check, fault: Fault) -> Self {
        Self { checks: vec![check], fault: Some(fault) }
    }

    /// Whether one of the checks may wait for a deadline.
    fn waits(&self) -> bool {
        self.checks.iter().any(|check| check.waits())
    }

    /// The same for one of the checks.
    fn alone(&self, check: &'c Check) -> Self {
        Self { checks: vec![check], fault: self.fault }
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
    pub wishes: &'p Wishes,
    /// Asked between checks: whether to stop.
    pub interrupted: &'p dyn Fn() -> bool,
}

/// What is left to do, and what has come of the rest.
struct Desk<'c> {
    waiting: VecDeque<(usize, Job<'c>)>,
    results: Vec<(usize, model::Check)>,
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
        let mut desk = Desk { waiting: waiting.into(), results: Vec::new() };
        let mut crew: Crew<Task<'_>> = Crew::new(self.settings, self.limit);
        while !(desk.waiting.is_empty() && crew.is_empty()) {
            if (self.interrupted)() {
                crew.dismiss()?;
                break;
            }
            while let Some((number, job)) = self.next(&mut desk, &crew) {
                self.start(number, job, &mut crew, &mut desk, &mut tell)?;
            }
            for ended in crew.ended()? {
                self.settle(&crew, ended, &mut desk, &mut tell)?;
            }
        }
        desk.results.sort_by_key(|(number, _)| *number);
        Ok(desk.results)
    }

    /// What to start now. Those that wait take nobody's place: as many of them run beside the others, unless only one job
    /// at a time is wanted.
    fn next<'c>(&self, desk: &mut Desk<'c>, crew: &Crew<Task<'c>>) -> Option<Task<'c>> {
        let has_room = |(_, job): &Task<'_>| {
            let alike = crew.tasks().filter(|(_, other)| self.jobs == 1 || other.waits() == job.waits());
            alike.count() < self.jobs
        };
        let place = desk.waiting.iter().position(has_room)?;
        desk.waiting.remove(place)
    }

    /// Sets a process apart for those checks of a job that have what they need; the others are skipped.
    fn start<'c>(
        &self,
        number: usize,
        mut job: Job<'c>,
        crew: &mut Crew<Task<'c>>,
        desk: &mut Desk<'c>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> io::Result<()> {
        job.checks.retain(|check| {
            let reason = check.needs().find_map(|need| need.unmet(self.abilities));
            let Some(reason) = reason else { return true };
            let skipped = model::Check { reason, ..blank(check) };
            tell(Event::Finished(&skipped));
            desk.results.push((number, skipped));
            false
        });
        if job.checks.is_empty() {
            return Ok(());
        }
        job.checks.iter().for_each(|check| tell(Event::Started(&check.id)));
        crew.start((number, job.clone()), |tag| {
            let settings = self.settings.posing(job.fault);
            let results = match job.checks.as_slice() {
                [check] => vec![conduct(check, &settings, tag, self.wishes)],
                several => conduct_together(several, &settings, tag),
            };
            serde_json::to_vec(&results).unwrap_or_default()
        })
    }

    /// Takes the results of a process. The checks of a company that have none are put back, each alone.
    fn settle<'c>(
        &self,
        crew: &Crew<Task<'c>>,
        ended: Ended<Task<'c>>,
        desk: &mut Desk<'c>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> io::Result<()> {
        let results = match serde_json::from_slice::<Vec<model::Check>>(&ended.output) {
            Ok(results) => results,
            Err(_) => self.without_result(crew, &ended)?,
        };
        let (number, job) = ended.task;
        let open = |check: &&Check| !results.iter().any(|result| result.id == check.id);
        let again = job.checks.iter().copied().filter(open).map(|check| (number, job.alone(check)));
        again.rev().for_each(|job| desk.waiting.push_front(job));
        for result in results {
            tell(Event::Finished(&result));
            desk.results.push((number, result));
        }
        Ok(())
    }

    /// Tidies up after a process that died or was ended, and says so if it had a single check.
    fn without_result(&self, crew: &Crew<Task<'_>>, ended: &Ended<Task<'_>>) -> io::Result<Vec<model::Check>> {
        crew.tidy(ended)?;
        let [check] = ended.task.1.checks.as_slice() else { return Ok(Vec::new()) };
        let (verdict, reason) = if ended.late {
            (Verdict::Timeout, format!("the check did not end within {:?}", self.limit))
        } else {
            (Verdict::Error, "the process of the check died without a result".to_owned())
        };
        Ok(vec![model::Check { verdict, reason, ..blank(check) }])
    }
}
