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
use crate::conduct::{Wishes, blank, conduct, discard};
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

/// One check to run, as it is or behind a fault.
#[derive(Clone, Copy, Debug)]
pub struct Job<'c> {
    /// The check.
    pub check: &'c Check,
    /// The fault that the engine poses with.
    pub fault: Option<Fault>,
}

impl<'c> Job<'c> {
    /// The check as it is.
    #[must_use]
    pub fn plain(check: &'c Check) -> Self {
        Self { check, fault: None }
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
    check: &'c Check,
    tag: String,
    apart: Apart,
    deadline: Instant,
}

impl Plan<'_> {
    /// Runs the jobs and returns their results, each with the number of its job, in the order of the jobs. Those that an
    /// interruption kept from running are missing.
    ///
    /// # Errors
    /// When the harness cannot fork or wait.
    pub fn run(&self, jobs: &[Job<'_>], mut tell: impl FnMut(Event<'_>)) -> io::Result<Vec<(usize, model::Check)>> {
        let mut waiting: VecDeque<(usize, &Job<'_>)> = jobs.iter().enumerate().collect();
        let mut running: Vec<Worker<'_>> = Vec::new();
        let mut results = Vec::new();
        while !(waiting.is_empty() && running.is_empty()) {
            if (self.interrupted)() {
                running.iter().try_for_each(|worker| self.end(worker))?;
                break;
            }
            while running.len() < self.jobs
                && let Some((number, job)) = waiting.pop_front()
            {
                tell(Event::Started(&job.check.id));
                match self.reason_to_skip(job.check) {
                    Some(reason) => {
                        let skipped = model::Check { reason, ..blank(job.check) };
                        tell(Event::Finished(&skipped));
                        results.push((number, skipped));
                    }
                    None => running.push(self.start(number, job)?),
                }
            }
            self.wait(&mut running)?;
            for worker in take_ended(&mut running)? {
                let number = worker.number;
                let result = self.result(worker)?;
                tell(Event::Finished(&result));
                results.push((number, result));
            }
        }
        results.sort_by_key(|(number, _)| *number);
        Ok(results)
    }

    fn reason_to_skip(&self, check: &Check) -> Option<String> {
        check.needs().find_map(|need| need.unmet(self.abilities))
    }

    fn start<'c>(&self, number: usize, job: &Job<'c>) -> io::Result<Worker<'c>> {
        // The letter ends the number, so that the tag of number 1 is not found in that of number 10.
        let tag = format!("p{}-{number}n", self.settings.run);
        let apart = isolate::spawn(|| {
            let settings = Settings { fault: job.fault, ..self.settings.clone() };
            let result = conduct(job.check, &settings, &tag, self.wishes);
            serde_json::to_vec(&result).unwrap_or_default()
        })?;
        Ok(Worker { number, check: job.check, tag, apart, deadline: Instant::now() + self.limit })
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
        match kill(worker.apart.keeper, Signal::SIGKILL) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(why) => return Err(why.into()),
        }
        // The pid namespace is gone only when its processes are; the keeper is waited for by the caller.
        Ok(())
    }

    fn result(&self, mut worker: Worker<'_>) -> io::Result<model::Check> {
        worker.apart.output.drain();
        let parsed = serde_json::from_slice::<model::Check>(worker.apart.output.bytes());
        parsed.or_else(|_| {
            for group in cgroup::find_named(&worker.tag)? {
                cgroup::remove_tree(&group)?;
            }
            discard(&self.settings.dir.join(&worker.tag));
            let late = Instant::now() >= worker.deadline;
            let verdict = if late { Verdict::Timeout } else { Verdict::Error };
            let reason = match verdict {
                Verdict::Timeout => format!("the check did not end within {:?}", self.limit),
                _ => "the process of the check died without a result".to_owned(),
            };
            Ok(model::Check { verdict, reason, ..blank(worker.check) })
        })
    }
}

/// Takes the workers out whose keeper has ended, and reaps it.
fn take_ended<'c>(running: &mut Vec<Worker<'c>>) -> io::Result<Vec<Worker<'c>>> {
    let mut ended = Vec::new();
    let mut index = 0;
    while index < running.len() {
        if wait_readable(&[&running[index].apart.pidfd], Instant::now())? {
            let worker = running.swap_remove(index);
            waitpid(worker.apart.keeper, Some(WaitPidFlag::WNOHANG))?;
            ended.push(worker);
        } else {
            index += 1;
        }
    }
    Ok(ended)
}
