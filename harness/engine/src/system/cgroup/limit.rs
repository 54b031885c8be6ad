//! Limits for everything that a check starts: a runtime that starts endless processes or uses up memory fails its check, and the host is
//! not affected.

use std::fs;
use std::io;
use std::path::Path;

use plimsoll_foreign::read;

use crate::system::proc::files::{about, malformed};

/// Most processes and threads. A check has some dozens; runtimes that are sandboxes of their own have some hundreds.
const PIDS: u64 = 2048;

/// Most memory, in bytes: as much as the tmpfs of the run holds, and twice that for programs.
const MEMORY: u64 = 3 << 30;

const MIB: u64 = 1 << 20;

/// The files of a limit in either version, and of the most that a group has had.
struct Files {
    limit: &'static str,
    peak: &'static str,
    /// What has been refused for want of it, by the group itself.
    refused: &'static [&'static str],
    unit: u64,
    of_what: &'static str,
}

const KNOWN: [Files; 3] = [
    Files {
        limit: "pids.max",
        peak: "pids.peak",
        // Where the first is there, the second tells of the groups below, too.
        refused: &["pids.events.local", "pids.events"],
        unit: 1,
        of_what: "processes",
    },
    Files {
        limit: "memory.limit_in_bytes",
        peak: "memory.max_usage_in_bytes",
        refused: &[],
        unit: MIB,
        of_what: "MiB of memory",
    },
    Files { limit: "memory.max", peak: "memory.peak", refused: &[], unit: MIB, of_what: "MiB of memory" },
];

/// The files of a group that limit a check, and what is written to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits(Vec<(&'static str, u64)>);

impl Limits {
    /// Those that groups beside or below this one have. Memory is three quarters of the host's at most.
    pub(super) fn known_to(group: &Path) -> io::Result<Self> {
        Ok(Self::of(PIDS, MEMORY.min(most_memory()?), group))
    }

    /// Those of all checks of a run together: several that take all that they may are not to take the host's last.
    pub(super) fn of_run(group: &Path) -> io::Result<Self> {
        let text = read::kernel("/proc/sys/kernel/pid_max")?;
        let numbers: u64 = text.trim().parse().map_err(|_| malformed(&text))?;
        Ok(Self::of(numbers / 2, most_memory()?, group))
    }

    fn of(pids: u64, memory: u64, group: &Path) -> Self {
        let known = KNOWN.iter().map(|files| (files.limit, if files.unit == 1 { pids } else { memory }));
        // A kernel that does not count swap has neither.
        let swap = ["memory.memsw.limit_in_bytes", "memory.swap.max"].map(|file| (file, memory));
        Self(known.chain(swap).filter(|(file, _)| group.join(file).exists()).collect())
    }

    /// Limits a group.
    pub(super) fn set(&self, group: &Path) -> io::Result<()> {
        for (file, value) in &self.0 {
            let at = group.join(file);
            fs::write(&at, value.to_string()).map_err(|why| about(at.display(), &why))?;
        }
        Ok(())
    }
}

/// Three quarters of the host's memory, in bytes.
fn most_memory() -> io::Result<u64> {
    let text = read::kernel("/proc/meminfo")?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse().ok());
    let total: u64 = total.ok_or_else(|| malformed(&text))?;
    Ok(total * 1024 / 4 * 3)
}

/// The limits that a group has reached, in words.
pub(super) fn reached(group: &Path) -> Vec<String> {
    let words = |files: &Files| {
        let number = |file: &str| read::kernel(group.join(file)).ok()?.trim().parse::<u64>().ok();
        // The kernel counts memory in batches: the last one may not have been had.
        let (limit, nearly) = (number(files.limit)?, if files.unit == 1 { 0 } else { 4 * MIB });
        let full = number(files.peak).is_some_and(|peak| peak + nearly >= limit);
        let told = files.refused.iter().find_map(|file| read::kernel(group.join(file)).ok());
        let refused = told.is_some_and(|text| text.lines().any(|line| line.starts_with("max ") && line != "max 0"));
        (full || refused).then(|| format!("its limit of {} {}", limit / files.unit, files.of_what))
    };
    KNOWN.iter().filter_map(words).collect()
}
