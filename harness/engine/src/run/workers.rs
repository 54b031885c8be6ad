//! Worker processes, each isolated ([`crate::sandbox::isolate`]), with a task and a deadline. Whatever a worker leaves on the host
//! when it dies is in its control groups, or has its tag in its name.

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use crate::checks::guarded::discard;
use crate::guard;
use crate::runtime::settings::Settings;
use crate::sandbox::isolate::{self, IsolatedProcess};
use crate::sandbox::private_dev;
use crate::system::cgroup::{self, CheckGroups, RunGroups};
use crate::system::deadline::scaled;
use crate::system::process::wait_readable;

/// How many processes were set to work, by all crews of this run: names are given once.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// How long killed workers may take to end.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// The running workers, and the task of each.
pub struct Workers<T> {
    run: String,
    dir: PathBuf,
    groups: Option<Arc<RunGroups>>,
    limit: Duration,
    list: Vec<Worker<T>>,
}

struct Worker<T> {
    task: T,
    tag: String,
    groups: Option<CheckGroups>,
    process: IsolatedProcess,
    deadline: Instant,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended<T> {
    /// Its task.
    pub task: T,
    /// Its result; none if it died, or did not send exactly one.
    pub output: Option<Vec<u8>>,
    /// In every name that it made.
    tag: String,
    /// Whether it was killed at its deadline.
    pub late: bool,
    /// The limits that its processes have reached, in words.
    pub reached: Vec<String>,
}

/// Options for the environment of a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerOptions {
    /// The control groups of the host, and its cgroup namespace: no groups of its own, and no limits.
    pub host_groups: bool,
    /// A budget for real-time processes, if the host has one to give.
    pub real_time: bool,
}

impl<T> Workers<T> {
    /// No workers yet. Each task may take as long as `limit`.
    #[must_use]
    pub fn new(settings: &Settings, limit: Duration) -> Self {
        let Settings { run, dir, groups, .. } = settings.clone();
        Self { run, dir, groups, limit, list: Vec::new() }
    }

    /// The number of workers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Their tasks.
    pub fn tasks(&self) -> impl Iterator<Item = &T> {
        self.list.iter().map(|worker| &worker.task)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Starts a worker. `work` gets a tag that is unique in the run.
    ///
    /// # Errors
    /// When this process cannot fork, or make the groups of the new one.
    pub fn start(&mut self, task: T, work: impl FnOnce(&str) -> Vec<u8>) -> io::Result<()> {
        self.start_with(WorkerOptions::default(), task, work)
    }

    /// As [`Workers::start`], with options.
    ///
    /// # Errors
    /// As [`Workers::start`].
    pub fn start_with(
        &mut self,
        options: WorkerOptions,
        task: T,
        work: impl FnOnce(&str) -> Vec<u8>,
    ) -> io::Result<()> {
        // What every check looks at is listed here, once.
        private_dev::list_members()?;
        guard::list_settings()?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed) + 1;
        // The letter ends the number, so that the tag of number 1 is not found in that of number 10.
        let tag = format!("p{}-{number}n", self.run);
        let groups = self.groups.as_ref().filter(|_| !options.host_groups);
        let own = groups.map(|groups| groups.check(&tag)).transpose()?;
        if let Some(groups) = groups.filter(|_| options.real_time) {
            groups.give_real_time(&tag);
        }
        let process = isolate::spawn(&self.dir.join("dev"), own.as_ref(), || work(&tag))?;
        self.list.push(Worker { task, tag, groups: own, process, deadline: Instant::now() + self.limit });
        Ok(())
    }

    /// Waits a moment for workers to end, and returns those that have. Workers past their deadline are killed.
    ///
    /// # Errors
    /// When the harness cannot wait.
    pub fn ended(&mut self) -> io::Result<Vec<Ended<T>>> {
        self.wait()?;
        let mut ended = Vec::new();
        let mut index = 0;
        while index < self.list.len() {
            if wait_readable(&[&self.list[index].process.pidfd], Instant::now())? {
                let mut worker = self.list.swap_remove(index);
                let status = waitpid(worker.process.pid, Some(WaitPidFlag::WNOHANG))?;
                worker.process.output.drain();
                // What came from a process that died need not be from itself.
                let output = worker.process.output.result().filter(|_| matches!(status, WaitStatus::Exited(_, 0)));
                let late = Instant::now() >= worker.deadline;
                // Who sent something has said so itself.
                let silent = worker.groups.as_ref().filter(|_| output.is_none());
                let reached = silent.map(CheckGroups::reached).unwrap_or_default();
                worker.groups.as_ref().map_or(Ok(()), CheckGroups::remove)?;
                ended.push(Ended { task: worker.task, output, tag: worker.tag, late, reached });
            } else {
                index += 1;
            }
        }
        Ok(ended)
    }

    /// Waits until a worker sends something, ends, or reaches its deadline.
    fn wait(&mut self) -> io::Result<()> {
        let Some(first) = self.list.iter().map(|worker| worker.deadline).min() else { return Ok(()) };
        let mut fds = Vec::new();
        for worker in &self.list {
            fds.push(worker.process.pidfd.as_fd());
            fds.extend(worker.process.output.fd());
        }
        // Look up now and then, for an interruption that came just before the wait.
        let in_time = wait_readable(&fds, first.min(Instant::now() + Duration::from_millis(200)))?;
        self.list.iter_mut().for_each(|worker| worker.process.output.drain());
        if !in_time {
            let late = self.list.iter().filter(|worker| worker.deadline <= Instant::now());
            late.into_iter().try_for_each(end)?;
        }
        Ok(())
    }

    /// Kills all workers, with everything that they started, and removes what they left. A worker whose processes are frozen at
    /// that moment is ended again until it is gone.
    ///
    /// # Errors
    /// When a control group cannot be thawed or removed.
    pub fn kill_all(&mut self) -> io::Result<()> {
        let now = Instant::now();
        self.list.iter_mut().for_each(|worker| worker.deadline = now);
        self.list.iter().try_for_each(end)?;
        while !self.is_empty() && now.elapsed() < scaled(KILL_TIMEOUT) {
            for ended in self.ended()? {
                self.clean_up(&ended)?;
            }
        }
        Ok(())
    }

    /// Removes what a dead worker has left.
    ///
    /// # Errors
    /// When a control group cannot be removed.
    pub fn clean_up(&self, ended: &Ended<T>) -> io::Result<()> {
        for group in cgroup::find_named(&ended.tag)? {
            cgroup::remove_tree(&group)?;
        }
        discard(&self.dir.join(&ended.tag));
        Ok(())
    }
}

/// Kills the remaining workers when an error drops this.
impl<T> Drop for Workers<T> {
    fn drop(&mut self) {
        // The error that is on its way says more; what resists is found when the run is cleaned up.
        self.kill_all().unwrap_or_default();
    }
}

/// Kills a worker with everything that it started. On cgroup v1 a frozen process does not die, and one that is thawed may freeze
/// itself again before it is killed: it is thawed again afterwards.
fn end<T>(worker: &Worker<T>) -> io::Result<()> {
    match &worker.groups {
        Some(groups) => groups.kill()?,
        None => cgroup::find_named(&worker.tag)?.iter().try_for_each(|group| cgroup::thaw_below(group))?,
    }
    match kill(worker.process.pid, Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(why) => Err(why.into()),
    }
}
