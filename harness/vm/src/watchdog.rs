//! How long a machine may be silent, in time that the host let it run. An emulator that waits for a CPU of a busy host does not hang.

use std::fs;
use std::time::{Duration, Instant};

use plimsoll_foreign::read;

/// A limit that a sign of life renews.
#[derive(Debug)]
pub(crate) struct Watchdog {
    emulator: u32,
    limit: Duration,
    since: Instant,
    waited: Duration,
}

impl Watchdog {
    /// With the process `emulator`, from now on.
    pub(crate) fn new(emulator: u32, limit: Duration) -> Self {
        Self { emulator, limit, since: Instant::now(), waited: waited(emulator) }
    }

    /// There was a sign of life.
    pub(crate) fn reset(&mut self, limit: Duration) {
        *self = Self::new(self.emulator, limit);
    }

    /// Whether the machine could have spoken for long enough.
    pub(crate) fn has_expired(&self) -> bool {
        let elapsed = self.since.elapsed();
        // What it waited for a processor is asked for late: that means to read a file for each thread.
        elapsed >= self.limit && elapsed >= self.limit + waited(self.emulator).saturating_sub(self.waited)
    }
}

/// How long the thread that waited longest was ready to run and had no processor; nothing where the kernel does not count
/// that. Kernel documentation: `scheduler/sched-stats.rst`.
fn waited(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let delays = threads.filter_map(|thread| {
        let text = read::kernel(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().nth(1)?.parse().ok()
    });
    delays.max().map(Duration::from_nanos).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_life_renews_it() {
        let mut watchdog = Watchdog::new(std::process::id(), Duration::ZERO);
        assert!(Watchdog::new(u32::MAX, Duration::ZERO).has_expired(), "a process that is gone waits for nothing");
        watchdog.reset(Duration::from_secs(3600));
        assert!(!watchdog.has_expired());
    }
}
