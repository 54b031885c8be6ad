//! `events`: what a container uses, and that it ran out of memory; one JSON document a line, in the shape of runc's.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use serde_json::{Value, json};

use super::confined;
use crate::cgroup::{Cgroup, Oom, OomEvents};
use crate::error::{Context, Error, Result};
use crate::log;

/// Prints the statistics once.
///
/// # Errors
/// When the container is stopped, or its cgroup is gone.
pub fn stats(root: &Path, id: &str) -> Result<()> {
    let watched = Watched::find(root, id)?;
    print(&watched.statistics()?)
}

/// Prints the statistics each time the interval has passed, and the other events as they come, until the container is
/// gone.
///
/// # Errors
/// When the container is stopped, or nobody reads any more.
pub fn follow(root: &Path, id: &str, interval: Duration) -> Result<()> {
    let mut watched = Watched::find(root, id)?;
    let mut next = Instant::now() + interval;
    loop {
        match watched.wait(next.saturating_duration_since(Instant::now()))? {
            Oom::Happened => print(&json!({ "type": "oom", "id": id }))?,
            Oom::Gone => return Ok(()),
            Oom::Quiet => {
                print(&watched.statistics()?)?;
                next += interval;
            }
        }
    }
}

/// A duration such as `5s`, `100ms` or `1m30s`.
///
/// # Errors
/// When it is of another form.
pub fn parse_interval(text: &str) -> Result<Duration, String> {
    let invalid = || format!("`{text}` is no duration such as 5s, 100ms or 1m30s");
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(invalid()),
        };
        let part =
            number.parse::<u64>().ok().and_then(|number| number.checked_mul(milliseconds)).ok_or_else(invalid)?;
        total = total.checked_add(Duration::from_millis(part)).ok_or_else(invalid)?;
        rest = after;
    }
    if total.is_zero() { Err(invalid()) } else { Ok(total) }
}

struct Watched {
    id: String,
    cgroup: Box<dyn Cgroup>,
    process: OwnedFd,
    memory: Option<OomEvents>,
}

impl Watched {
    fn find(root: &Path, id: &str) -> Result<Self> {
        let (container, cgroup) = confined(root, id)?;
        let stopped = || Error::new(format!("container `{id}` is {}, not running", container.status().name()));
        let process = container.pidfd()?.ok_or_else(stopped)?;
        // Without a memory controller there is nothing to run out of.
        let memory = cgroup.oom_events().inspect_err(|error| log::debug(&error.to_string())).ok();
        Ok(Self { id: id.to_owned(), cgroup, process, memory })
    }

    fn statistics(&self) -> Result<Value> {
        Ok(json!({ "type": "stats", "id": self.id, "data": self.cgroup.stats()? }))
    }

    fn wait(&mut self, time: Duration) -> Result<Oom> {
        if let Some(memory) = &mut self.memory {
            return memory.wait(time);
        }
        let mut ended = [PollFd::from_borrowed_fd(self.process.as_fd(), PollFlags::IN)];
        let time = Timespec::try_from(time).doing(|| "wait for an event".into())?;
        let count = rustix::event::poll(&mut ended, Some(&time)).doing(|| "wait for an event".into())?;
        Ok(if count > 0 { Oom::Gone } else { Oom::Quiet })
    }
}

fn print(event: &Value) -> Result<()> {
    writeln!(std::io::stdout(), "{event}").doing(|| "print".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_sum_of_numbers_with_units() {
        for (text, milliseconds) in [("5s", 5_000), ("100ms", 100), ("1m30s", 90_000), ("1h", 3_600_000)] {
            assert_eq!(parse_interval(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "5", "s", "0s", "-1s", "5d", "99999999999999999999s"] {
            assert!(parse_interval(text).is_err(), "{text}");
        }
    }
}
