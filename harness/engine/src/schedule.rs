//! Runs checks side by side, each in a process of its own, and tells what happens as a stream of [`Event`]s.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use plimsoll_reports::model::{self, Verdict};

use crate::cgroup;
use crate::check::Check;
use crate::conduct::{Wishes, blank, conduct, conduct_together, discard};
use crate::fault::Fault;
use crate::isolate::{self, Apart};
use crate::need::Abilities;
use crate::process::wait_readable;
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
    /// How many checks run at once.
    pub jobs: usize,
    /// The longest that one check may take.
    pub limit: Duration,
    /// What to keep and how to replay.
    pub wishes: &'p Wishes,
    /// Asked between checks: whether to stop.
    pub interrupted: &'p dyn Fn() -> bool,
}

struct Worker<'c> {
    number: usize,
    job: Job<'c>,
    tag: String,
    apart: Apart,
    deadline: Instant,
}

/// What is left to do, and what has come of the rest.
struct Desk<'c> {
    waiting: VecDeque<(usize, Job<'c>)>,
    results: Vec<(usize, model::Check)>,
    /// How many processes were set apart; a part of their names.
    begun: usize,
}

impl Plan<'_> {
    /// Runs the jobs and returns the result of each of their checks, with the number of the job, in the order of the
    /// jobs. Those that an interruption kept from running are missing.
    ///
    /// # Errors
    /// When the harness cannot fork or wait.
    pub fn run(&self, jobs: Vec<Job<'_>>, mut tell: impl FnMut(Event<'_>)) -> io::Result<Vec<(usize, model::Check)>> {
        let waiting = jobs.into_iter().enumerate().collect();
        let mut desk = Desk { waiting, results: Vec::new(), begun: 0 };
        let mut running: Vec<Worker<'_>> = Vec::new();
        while !(desk.waiting.is_empty() && running.is_empty()) {
            if (self.interrupted)() {
                running.iter().try_for_each(|worker| self.end(worker))?;
                break;
            }
            while running.len() < self.jobs
                && let Some((number, job)) = desk.waiting.pop_front()
            {
                running.extend(self.start(number, job, &mut desk, &mut tell)?);
            }
            self.wait(&mut running)?;
            for worker in take_ended(&mut running)? {
                self.settle(worker, &mut desk, &mut tell)?;
            }
        }
        desk.results.sort_by_key(|(number, _)| *number);
        Ok(desk.results)
    }

    /// Sets a process apart for those checks of a job that have what they need; the others are skipped.
    fn start<'c>(
        &self,
        number: usize,
        mut job: Job<'c>,
        desk: &mut Desk<'c>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> io::Result<Option<Worker<'c>>> {
        job.checks.retain(|check| {
            let reason = check.needs().find_map(|need| need.unmet(self.abilities));
            let Some(reason) = reason else { return true };
            let skipped = model::Check { reason, ..blank(check) };
            tell(Event::Finished(&skipped));
            desk.results.push((number, skipped));
            false
        });
        if job.checks.is_empty() {
            return Ok(None);
        }
        job.checks.iter().for_each(|check| tell(Event::Started(&check.id)));
        desk.begun += 1;
        // The letter ends the number, so that the tag of number 1 is not found in that of number 10.
        let tag = format!("p{}-{}n", self.settings.run, desk.begun);
        let apart = isolate::spawn(|| {
            let settings = self.settings.posing(job.fault);
            let results = match job.checks.as_slice() {
                [check] => vec![conduct(check, &settings, &tag, self.wishes)],
                several => conduct_together(several, &settings, &tag),
            };
            serde_json::to_vec(&results).unwrap_or_default()
        })?;
        Ok(Some(Worker { number, job, tag, apart, deadline: Instant::now() + self.limit }))
    }

    /// Waits until one of the workers has something to say, has ended, or is out of time.
    fn wait(&self, running: &mut [Worker<'_>]) -> io::Result<()> {
        let Some(first) = running.iter().map(|worker| worker.deadline).min() else { return Ok(()) };
        let mut fds = Vec::new();
        for worker in running.iter() {
            fds.push(worker.apart.pidfd.as_fd());
            fds.extend(worker.apart.output.fd().map(AsFd::as_fd));
        }
        // Look up now and then, for an interruption that came just before the wait.
        let in_time = wait_readable(&fds, first.min(Instant::now() + Duration::from_millis(200)))?;
        running.iter_mut().for_each(|worker| worker.apart.output.drain());
        if !in_time {
            running
                .iter()
                .filter(|worker| worker.deadline <= Instant::now())
                .try_for_each(|worker| self.end(worker))?;
        }
        Ok(())
    }

    /// Ends a check with everything that it started. On cgroup v1 a frozen process does not die: thaw first.
    fn end(&self, worker: &Worker<'_>) -> io::Result<()> {
        for group in cgroup::find_named(&worker.tag)? {
            cgroup::thaw_below(&group)?;
        }
        match kill(worker.apart.pid, Signal::SIGKILL) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(why) => return Err(why.into()),
        }
        Ok(())
    }

    /// Takes the results of a worker. The checks of a company that have none are put back, each alone.
    fn settle<'c>(
        &self,
        mut worker: Worker<'c>,
        desk: &mut Desk<'c>,
        tell: &mut impl FnMut(Event<'_>),
    ) -> io::Result<()> {
        worker.apart.output.drain();
        let results = match serde_json::from_slice::<Vec<model::Check>>(worker.apart.output.bytes()) {
            Ok(results) => results,
            Err(_) => self.without_result(&worker)?,
        };
        let open = |check: &&Check| !results.iter().any(|result| result.id == check.id);
        let again =
            worker.job.checks.iter().copied().filter(open).map(|check| (worker.number, worker.job.alone(check)));
        again.rev().for_each(|job| desk.waiting.push_front(job));
        for result in results {
            tell(Event::Finished(&result));
            desk.results.push((worker.number, result));
        }
        Ok(())
    }

    /// Tidies up after a process that died or was ended, and says so if it had a single check.
    fn without_result(&self, worker: &Worker<'_>) -> io::Result<Vec<model::Check>> {
        for group in cgroup::find_named(&worker.tag)? {
            cgroup::remove_tree(&group)?;
        }
        discard(&self.settings.dir.join(&worker.tag));
        let [check] = worker.job.checks.as_slice() else { return Ok(Vec::new()) };
        let late = Instant::now() >= worker.deadline;
        let verdict = if late { Verdict::Timeout } else { Verdict::Error };
        let reason = match verdict {
            Verdict::Timeout => format!("the check did not end within {:?}", self.limit),
            _ => "the process of the check died without a result".to_owned(),
        };
        Ok(vec![model::Check { verdict, reason, ..blank(check) }])
    }
}

/// Takes the workers out that have ended, and reaps them.
fn take_ended<'c>(running: &mut Vec<Worker<'c>>) -> io::Result<Vec<Worker<'c>>> {
    let mut ended = Vec::new();
    let mut index = 0;
    while index < running.len() {
        if wait_readable(&[&running[index].apart.pidfd], Instant::now())? {
            let worker = running.swap_remove(index);
            waitpid(worker.apart.pid, Some(WaitPidFlag::WNOHANG))?;
            ended.push(worker);
        } else {
            index += 1;
        }
    }
    Ok(ended)
}
