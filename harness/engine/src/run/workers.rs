//! A crew of processes that are set apart ([`crate::sandbox::isolate`]), each with a task of its own and a deadline. Whatever one
//! of them leaves on the host when it dies is in its control groups, or has its tag in its name.

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

use crate::checks::perform::discard;
use crate::guard;
use crate::runtime::settings::Settings;
use crate::sandbox::isolate::{self, Apart};
use crate::sandbox::private_dev;
use crate::system::cgroup::{self, CheckGroups, RunGroups};
use crate::system::patience::stretched;
use crate::system::process::wait_readable;

/// How many processes were set to work, by all crews of this run: names are given once.
static BEGUN: AtomicUsize = AtomicUsize::new(0);

/// How long those who are dismissed may take to end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Processes at work, and what each works on.
pub struct Crew<T> {
    run: String,
    dir: PathBuf,
    groups: Option<Arc<RunGroups>>,
    limit: Duration,
    members: Vec<Member<T>>,
}

struct Member<T> {
    task: T,
    tag: String,
    groups: Option<CheckGroups>,
    apart: Apart,
    deadline: Instant,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended<T> {
    /// What it worked on.
    pub task: T,
    /// What it sent; nothing when it died, or did not send exactly one result of its own.
    pub output: Option<Vec<u8>>,
    /// In every name that it made.
    tag: String,
    /// Whether it was ended for want of time.
    pub late: bool,
    /// The limits that its processes have reached, in words.
    pub reached: Vec<String>,
}

/// What a process wants to find around it, besides what each one finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// The control groups of the host, and its cgroup namespace: no groups of its own, and no limits.
    pub host_groups: bool,
    /// A budget for real-time processes, if the host has one to give.
    pub real_time: bool,
}

impl<T> Crew<T> {
    /// A crew without members. Each task may take as long as `limit`.
    #[must_use]
    pub fn new(settings: &Settings, limit: Duration) -> Self {
        let Settings { run, dir, groups, .. } = settings.clone();
        Self { run, dir, groups, limit, members: Vec::new() }
    }

    /// How many are at work.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// What they work on.
    pub fn tasks(&self) -> impl Iterator<Item = &T> {
        self.members.iter().map(|member| &member.task)
    }

    /// Whether nobody is at work.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Sets a process to work. `work` gets a tag that is unique in the run.
    ///
    /// # Errors
    /// When this process cannot fork, or make the groups of the new one.
    pub fn start(&mut self, task: T, work: impl FnOnce(&str) -> Vec<u8>) -> io::Result<()> {
        self.start_with(Wants::default(), task, work)
    }

    /// As [`Crew::start`], for a process that wants to find something else around it.
    ///
    /// # Errors
    /// As [`Crew::start`].
    pub fn start_with(&mut self, wants: Wants, task: T, work: impl FnOnce(&str) -> Vec<u8>) -> io::Result<()> {
        // What every check looks at is listed here, once.
        private_dev::list_members()?;
        guard::list_settings()?;
        let number = BEGUN.fetch_add(1, Ordering::Relaxed) + 1;
        // The letter ends the number, so that the tag of number 1 is not found in that of number 10.
        let tag = format!("p{}-{number}n", self.run);
        let groups = self.groups.as_ref().filter(|_| !wants.host_groups);
        let own = groups.map(|groups| groups.check(&tag)).transpose()?;
        if let Some(groups) = groups.filter(|_| wants.real_time) {
            groups.give_real_time(&tag);
        }
        let apart = isolate::spawn(&self.dir.join("dev"), own.as_ref(), || work(&tag))?;
        self.members.push(Member { task, tag, groups: own, apart, deadline: Instant::now() + self.limit });
        Ok(())
    }

    /// Waits a moment for somebody to end, and takes out those who have. Whoever is out of time is ended.
    ///
    /// # Errors
    /// When the harness cannot wait.
    pub fn ended(&mut self) -> io::Result<Vec<Ended<T>>> {
        self.wait()?;
        let mut ended = Vec::new();
        let mut index = 0;
        while index < self.members.len() {
            if wait_readable(&[&self.members[index].apart.pidfd], Instant::now())? {
                let mut member = self.members.swap_remove(index);
                let status = waitpid(member.apart.pid, Some(WaitPidFlag::WNOHANG))?;
                member.apart.output.drain();
                // What came from a process that died need not be from itself.
                let output = member.apart.output.result().filter(|_| matches!(status, WaitStatus::Exited(_, 0)));
                let late = Instant::now() >= member.deadline;
                // Who sent something has said so itself.
                let silent = member.groups.as_ref().filter(|_| output.is_none());
                let reached = silent.map(CheckGroups::reached).unwrap_or_default();
                member.groups.as_ref().map_or(Ok(()), CheckGroups::remove)?;
                ended.push(Ended { task: member.task, output, tag: member.tag, late, reached });
            } else {
                index += 1;
            }
        }
        Ok(ended)
    }

    /// Waits until somebody has something to say, has ended, or is out of time.
    fn wait(&mut self) -> io::Result<()> {
        let Some(first) = self.members.iter().map(|member| member.deadline).min() else { return Ok(()) };
        let mut fds = Vec::new();
        for member in &self.members {
            fds.push(member.apart.pidfd.as_fd());
            fds.extend(member.apart.output.fd());
        }
        // Look up now and then, for an interruption that came just before the wait.
        let in_time = wait_readable(&fds, first.min(Instant::now() + Duration::from_millis(200)))?;
        self.members.iter_mut().for_each(|member| member.apart.output.drain());
        if !in_time {
            let late = self.members.iter().filter(|member| member.deadline <= Instant::now());
            late.into_iter().try_for_each(end)?;
        }
        Ok(())
    }

    /// Ends everybody, with everything that they started, and removes what is left of that. One whose processes are frozen at
    /// that moment is ended again until it is gone.
    ///
    /// # Errors
    /// When a control group cannot be thawed or removed.
    pub fn dismiss(&mut self) -> io::Result<()> {
        let now = Instant::now();
        self.members.iter_mut().for_each(|member| member.deadline = now);
        self.members.iter().try_for_each(end)?;
        while !self.is_empty() && now.elapsed() < stretched(FAREWELL) {
            for ended in self.ended()? {
                self.tidy(&ended)?;
            }
        }
        Ok(())
    }

    /// Removes what a process has left that died or was ended.
    ///
    /// # Errors
    /// When a control group cannot be removed.
    pub fn tidy(&self, ended: &Ended<T>) -> io::Result<()> {
        for group in cgroup::find_named(&ended.tag)? {
            cgroup::remove_tree(&group)?;
        }
        discard(&self.dir.join(&ended.tag));
        Ok(())
    }
}

/// Whoever is still at work when an error ends the crew is dismissed: its processes are in nobody's way then.
impl<T> Drop for Crew<T> {
    fn drop(&mut self) {
        // The error that is on its way says more; what resists is found when the run is cleaned up.
        self.dismiss().unwrap_or_default();
    }
}

/// Ends a process with everything that it started. On cgroup v1 a frozen process does not die, and one that is thawed may freeze
/// itself again before it is killed: it is thawed again afterwards.
fn end<T>(member: &Member<T>) -> io::Result<()> {
    match &member.groups {
        Some(groups) => groups.kill()?,
        None => cgroup::find_named(&member.tag)?.iter().try_for_each(|group| cgroup::thaw_below(group))?,
    }
    match kill(member.apart.pid, Signal::SIGKILL) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(why) => Err(why.into()),
    }
}
