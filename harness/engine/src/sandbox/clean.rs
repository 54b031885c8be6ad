//! Removes what killed runs left behind. Runs whose owner is alive or cannot be determined are not touched; see
//! [`crate::system::liveness`].

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use nix::unistd::{Pid, geteuid};

use crate::sandbox::run_sandbox::temporary;
use crate::system::cgroup;
use crate::system::deadline::scaled;
use crate::system::liveness::{self, Liveness};
use crate::system::proc::files::{about, if_there, read_text};
use crate::system::proc::stat::{self, Stat, command_line};
use crate::system::process::wait_readable;
use crate::system::run_id::{PREFIX, RunId};
use crate::system::saved_mounts;
use crate::system::sys;

/// How long killed processes may take to end.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The runs whose owner is gone.
    pub runs: Vec<RunId>,
    /// Processes that were killed: id and command line.
    pub processes: Vec<String>,
    /// Mount points.
    pub mounts: Vec<String>,
    /// Directories of control groups.
    pub cgroups: Vec<PathBuf>,
    /// Directories with all that was in them.
    pub directories: Vec<PathBuf>,
    /// What belongs to runs that may be alive, and why that is unknown: it was not touched.
    pub undecided: Vec<(PathBuf, String)>,
}

impl Report {
    /// Whether there was nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

/// The runs that left something, but for those that live.
#[derive(Debug, Default)]
struct Found {
    dead: Vec<RunId>,
    undecided: Vec<(RunId, String)>,
}

/// # Errors
/// When the places where runs leave things cannot be listed.
fn find() -> io::Result<Found> {
    let mut runs = BTreeSet::new();
    for path in directories()?.iter().chain(&groups()?) {
        runs.extend(owner(path));
    }
    let mut found = Found::default();
    for run in runs {
        match liveness::of(&run, &temporary().join(run.name()))? {
            Liveness::Alive => {}
            Liveness::Dead => found.dead.push(run),
            Liveness::Unknown(why) => found.undecided.push((run, why)),
        }
    }
    Ok(found)
}

/// Removes what those runs left, or only says what that is.
///
/// # Errors
/// When something resists; what was found after it is then still there.
pub fn clean(dry_run: bool) -> io::Result<Report> {
    let found = find()?;
    let mut report = clean_runs(found.dead, dry_run)?;
    for path in directories()?.into_iter().chain(groups()?) {
        let of_it = found.undecided.iter().find(|(run, _)| owner(&path) == Some(*run));
        report.undecided.extend(of_it.map(|(_, why)| (path, why.clone())));
    }
    Ok(report)
}

fn clean_runs(runs: Vec<RunId>, dry_run: bool) -> io::Result<Report> {
    let ours = |paths: Vec<PathBuf>| -> Vec<PathBuf> {
        paths.into_iter().filter(|path| owner(path).is_some_and(|run| runs.contains(&run))).collect()
    };
    let (groups, directories) = (ours(groups()?), ours(directories()?));
    let mut report = Report {
        processes: processes_of(&runs)?.iter().map(describe).collect::<io::Result<_>>()?,
        mounts: mounts_below(&directories)?,
        cgroups: groups,
        directories,
        runs,
        undecided: Vec::new(),
    };
    report.mounts.reverse();
    if !dry_run {
        remove(&report)?;
    }
    Ok(report)
}

/// In this order: a frozen process does not die, a group with processes stays, a directory with mounts stays.
fn remove(report: &Report) -> io::Result<()> {
    // In version 2 that ends those of other pid namespaces, too, which the loop does not see.
    report.cgroups.iter().try_for_each(|group| cgroup::kill_below(group))?;
    end_all(report)?;
    report.cgroups.iter().try_for_each(|group| cgroup::remove_tree(group))?;
    for point in &report.mounts {
        match umount2(point.as_str(), MntFlags::MNT_DETACH) {
            // Somebody else who cleans was faster.
            Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => {}
            Err(why) => return Err(about(point, &why.into())),
        }
    }
    for dir in &report.directories {
        if_there(fs::remove_dir_all(dir)).map_err(|why| about(dir.display(), &why))?;
    }
    Ok(())
}

fn owner(path: &Path) -> Option<RunId> {
    RunId::of_name(path.file_name()?.to_str()?)
}

/// The directories of runs, living and dead.
fn directories() -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(temporary())? {
        let path = entry?.path();
        let Some(status) = if_there(fs::symlink_metadata(&path))? else { continue };
        // Anyone may write to this directory: what another user put there is not ours, whatever its name.
        if status.is_dir() && status.uid() == geteuid().as_raw() && owner(&path).is_some() {
            found.push(path);
        }
    }
    Ok(found)
}

/// The control groups of runs, living and dead, in all hierarchies; none that lies in another of them.
fn groups() -> io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in cgroup::find_named(PREFIX)?.into_iter().filter(|path| owner(path).is_some()) {
        if !found.iter().any(|above| path.starts_with(above)) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Mount points at or below the directories, in the order of mounting.
fn mounts_below(directories: &[PathBuf]) -> io::Result<Vec<String>> {
    let points = saved_mounts::mounts()?.into_iter().map(|mount| mount.point);
    Ok(points.filter(|point| directories.iter().any(|dir| Path::new(point).starts_with(dir))).collect())
}

/// The processes that stand in a group of the runs.
fn processes_of(runs: &[RunId]) -> io::Result<Vec<Stat>> {
    let mut found = Vec::new();
    for pid in stat::pids()? {
        if belongs(pid, runs)? {
            found.extend(Stat::of(pid)?.filter(|stat| !stat.has_ended()));
        }
    }
    Ok(found)
}

fn belongs(pid: Pid, runs: &[RunId]) -> io::Result<bool> {
    let text = if_there(read_text(format!("/proc/{pid}/cgroup")))?.unwrap_or_default();
    let part_of_run = |part: &str| RunId::of_name(part).is_some_and(|run| runs.contains(&run));
    Ok(text.lines().any(|line| line.splitn(3, ':').last().is_some_and(|path| path.split('/').any(part_of_run))))
}

fn describe(stat: &Stat) -> io::Result<String> {
    Ok(format!("{} {}", stat.pid, command_line(stat)?))
}

/// Kills until none is left: one that forks meanwhile leaves a child behind, and one that is thawed may freeze itself again.
fn end_all(report: &Report) -> io::Result<()> {
    let deadline = Instant::now() + scaled(TIMEOUT);
    loop {
        report.cgroups.iter().try_for_each(|group| cgroup::thaw_below(group))?;
        let left = processes_of(&report.runs)?;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let left: Vec<String> = left.iter().map(|stat| format!("{} ({})", stat.pid, stat.comm)).collect();
            return Err(io::Error::other(format!("still there after SIGKILL: {}", left.join(", "))));
        }
        let killed = kill(&left, &report.runs)?;
        report.cgroups.iter().try_for_each(|group| cgroup::thaw_below(group))?;
        // One that does not end in time is found by the next look at the groups.
        killed.iter().try_for_each(|pidfd| wait_readable(&[pidfd], deadline).map(drop))?;
    }
}

fn kill(processes: &[Stat], runs: &[RunId]) -> io::Result<Vec<OwnedFd>> {
    let mut killed = Vec::new();
    for pid in processes.iter().map(|stat| Pid::from_raw(stat.pid)) {
        let Some(pidfd) = if_there(sys::pidfd_open(pid))? else { continue };
        // The id may have gone to another process before the descriptor was opened; from now on it cannot.
        if belongs(pid, runs)? {
            if_there(sys::pidfd_signal(pidfd.as_fd(), libc::SIGKILL))?;
            killed.push(pidfd);
        }
    }
    Ok(killed)
}

#[cfg(test)]
mod tests;
