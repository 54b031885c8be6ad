//! The guard: the host must be the same before and after a check. It runs in the worker process, in the namespaces of the check, so
//! whatever differs there was left by the check.

mod canary;
mod clock;
mod handlers;
pub(crate) mod host_changes;
mod host_wide;
mod kernel;
mod loops;
mod member;
mod nodes;
mod other_programs;
mod processes;
mod snapshot;
mod superblocks;
mod sweep;
mod tracing;
mod watched;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_reports::model::Finding;

pub use canary::{describe as tree, plant_canary};
pub use host_changes::HostChanges;
pub use kernel::{Change, KernelState, undo_all};
pub(crate) use other_programs::made_by_others;
pub(crate) use snapshot::DESCRIPTORS;
pub use sweep::{below, detach_below, sweep};
pub use watched::list_settings;

use crate::system::cgroup;
use crate::system::saved_mounts;
use snapshot::Snapshot;

/// Where to look.
#[derive(Clone, Debug)]
pub struct GuardSettings {
    /// The text that every name of the check contains, and no name of another check.
    pub tag: String,
    /// The tree that [`plant_canary`] made.
    pub canary: PathBuf,
    /// Where the runtime keeps its state; checks may share it.
    pub state_root: PathBuf,
    /// Settings of the kernel to watch beside the usual ones, as paths below `/proc/sys`.
    pub extra_sysctls: Vec<String>,
    /// How long a process may take to end before it counts as left behind. Costs time only when there
    /// is one.
    pub grace: Duration,
}

impl GuardSettings {
    /// The directory of the check.
    fn place(&self) -> &Path {
        self.canary.parent().unwrap_or(&self.canary)
    }
}

/// The host as it was before a check.
#[derive(Debug)]
pub struct Guard {
    settings: GuardSettings,
    processes: BTreeSet<processes::Identity>,
    before: Snapshot,
}

impl Guard {
    /// Looks at the host before the check.
    ///
    /// # Errors
    /// When something cannot be read, or `/proc` is not that of this pid namespace.
    pub fn before(settings: GuardSettings) -> io::Result<Self> {
        let cgroups = cgroup::made_by_check(&settings.tag)?;
        Self::with_cgroups(settings, &cgroups)
    }

    /// Looks at the host before anything has had the tag as its name: no control group can have it yet.
    ///
    /// # Errors
    /// As [`Guard::before`].
    pub fn before_all(settings: GuardSettings) -> io::Result<Self> {
        Self::with_cgroups(settings, &[])
    }

    fn with_cgroups(settings: GuardSettings, cgroups: &[PathBuf]) -> io::Result<Self> {
        let there = processes::others()?;
        let before = snapshot::take(&settings, snapshot::mounts(&settings)?, &[], cgroups)?;
        Ok(Self { settings, processes: there.iter().map(processes::identity).collect(), before })
    }

    /// What differs after the check, subject by subject. Reaps the children of this process that have ended.
    ///
    /// # Errors
    /// When something cannot be read.
    pub fn after(&self) -> io::Result<Vec<Finding>> {
        self.after_within(self.settings.grace)
    }

    /// As [`Guard::after`], with another grace: none where processes are known to be left and do not count.
    ///
    /// # Errors
    /// As [`Guard::after`].
    pub fn after_within(&self, grace: Duration) -> io::Result<Vec<Finding>> {
        let mounts = snapshot::mounts(&self.settings)?;
        saved_mounts::restore(self.settings.place())?;
        let left = processes::settle(&self.processes, Instant::now() + grace)?;
        let mut after = snapshot::take(&self.settings, mounts, &left, &cgroup::made_by_check(&self.settings.tag)?)?;
        snapshot::ignore_host_changes(&self.before, &mut after)?;
        Ok(snapshot::compare(&self.before, &after))
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
