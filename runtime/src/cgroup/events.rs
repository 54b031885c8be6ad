//! Events of the memory controller: that a container ran out of memory.
//!
//! Version 1 signals an eventfd (`cgroup.event_control`), version 2 the readers of `memory.events`.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};

use super::group::Group;
use super::wait::{Deadline, read_from_start, wait_for};
use crate::error::{Context, Result};

/// What became of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oom {
    /// The container ran out of memory.
    Happened,
    /// The container's last process is gone, or its cgroup is.
    Gone,
    /// Nothing happened in the given time.
    Quiet,
}

/// A watch on a container's memory.
#[derive(Debug)]
pub struct OomEvents {
    group: Group,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Counter(OwnedFd),
    Files { memory: File, life: File, kills: u64 },
}

impl OomEvents {
    pub(super) fn v1(group: &Group) -> Result<Self> {
        let counter = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).doing(|| "make an eventfd".into())?;
        let path = group.file("memory.oom_control");
        let control = File::open(&path).doing(|| format!("open `{}`", path.display()))?;
        group.write("cgroup.event_control", &format!("{} {}", counter.as_raw_fd(), control.as_raw_fd()))?;
        Ok(Self { group: group.clone(), source: Source::Counter(counter) })
    }

    pub(super) fn v2(group: &Group) -> Result<Self> {
        let open = |name: &str| {
            let path = group.file(name);
            File::open(&path).doing(|| format!("open `{}`", path.display()))
        };
        let (memory, life) = (open("memory.events")?, open("cgroup.events")?);
        let kills = value(&memory, "oom_kill");
        Ok(Self { group: group.clone(), source: Source::Files { memory, life, kills } })
    }

    /// Waits for an event, at most as long as given.
    ///
    /// # Errors
    /// When waiting fails.
    pub fn wait(&mut self, time: Duration) -> Result<Oom> {
        let deadline = Deadline::after(time);
        match &mut self.source {
            Source::Counter(counter) => {
                if !wait_for(&mut [PollFd::new(&*counter, PollFlags::IN)], deadline)? {
                    return Ok(Oom::Quiet);
                }
                rustix::io::read(&*counter, &mut [0; 8]).doing(|| "read an eventfd".into())?;
                // The kernel signals the removal of the cgroup the same way.
                Ok(if self.group.dir.exists() { Oom::Happened } else { Oom::Gone })
            }
            Source::Files { memory, life, kills } => loop {
                let now = value(memory, "oom_kill");
                if std::mem::replace(kills, now) < now {
                    return Ok(Oom::Happened);
                }
                // Reads as nothing once the cgroup is removed.
                if value(life, "populated") == 0 {
                    return Ok(Oom::Gone);
                }
                let mut changed = [PollFd::new(&*memory, PollFlags::PRI), PollFd::new(&*life, PollFlags::PRI)];
                if !wait_for(&mut changed, deadline)? {
                    return Ok(Oom::Quiet);
                }
            },
        }
    }
}

/// The number beside a key; 0 when there is none.
fn value(file: &File, key: &str) -> u64 {
    let text = read_from_start(file).unwrap_or_default();
    let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.find(|(name, _)| *name == key).and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}
