//! Walks the hierarchies: finds cgroups by name, thaws them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;
use plimsoll_foreign::read;

use super::hierarchies;
use super::reach::reach;
use crate::system::proc::files::{about, if_there};
use crate::system::run_id::PREFIX;
use crate::system::sys;

/// The directories of all groups, in all hierarchies, whose own name contains `tag`. A group comes before those in it.
///
/// # Errors
/// When a hierarchy cannot be listed.
pub fn find_named(tag: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for hierarchy in hierarchies()? {
        let named = |dir: &PathBuf| dir.file_name().is_some_and(|name| name.to_string_lossy().contains(tag));
        found.extend(below(&hierarchy.mount)?.into_iter().filter(named));
    }
    Ok(found)
}

/// The directories of all groups, in all hierarchies, that hold no process and that no other check has made: a name of a run
/// without `tag` in it tells of those.
///
/// # Errors
/// When a hierarchy cannot be listed.
pub fn empty_ones(run: &str, tag: &str) -> io::Result<BTreeSet<PathBuf>> {
    let of_others = |path: &str| (path.contains(PREFIX) || path.contains(run)) && !path.contains(tag);
    let mut found = BTreeSet::new();
    for hierarchy in hierarchies()? {
        for dir in below(&hierarchy.mount)?.into_iter().filter(|dir| !of_others(&dir.to_string_lossy())) {
            if if_there(reach(&dir.join("cgroup.procs")).and_then(read::kernel_bytes))?
                .is_some_and(|processes| processes.is_empty())
            {
                found.insert(dir);
            }
        }
    }
    Ok(found)
}

/// All directories below one, without itself. A directory comes before those in it.
pub(super) fn below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    walk(dir, &mut found)?;
    Ok(found)
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    // The kernel counts a link for each directory within, so most groups need not be listed: that costs ten times more.
    let leaf = |status: fs::Metadata| status.nlink() == 2;
    if if_there(reach(dir).and_then(fs::symlink_metadata))?.is_none_or(leaf) {
        return Ok(());
    }
    let read = reach(dir).and_then(fs::read_dir).map_err(|why| about(dir.display(), &why));
    let Some(entries) = if_there(read)? else { return Ok(()) };
    for entry in entries {
        // Checks that run beside this one remove their groups while we list them.
        let Some(entry) = if_there(entry)? else { return Ok(()) };
        if entry.file_type()?.is_dir() {
            let path = dir.join(entry.file_name());
            found.push(path.clone());
            walk(&path, found)?;
        }
    }
    Ok(())
}

/// Thaws a group and all in it. A frozen process of version 1 does not even die of SIGKILL.
///
/// # Errors
/// When the kernel refuses. A group that is gone, or in a hierarchy that freezes nothing, is no error.
pub fn thaw_below(dir: &Path) -> io::Result<()> {
    thaw(dir)?;
    below(dir)?.iter().try_for_each(|group| thaw(group))
}

/// Kills every process in a group and in those in it, but for those of pid namespaces that this process does not see.
///
/// # Errors
/// When a group cannot be read, or the kernel refuses.
pub fn kill_below(dir: &Path) -> io::Result<()> {
    let at_once = dir.join("cgroup.kill");
    if at_once.exists() {
        return if_there(fs::write(at_once, "1")).map(drop);
    }
    kill_in(dir)?;
    below(dir)?.iter().try_for_each(|group| kill_in(group))
}

fn kill_in(group: &Path) -> io::Result<()> {
    for pid in super::remove::members(group)?.into_iter().filter(|pid| *pid > 0) {
        let Some(pidfd) = if_there(sys::pidfd_open(Pid::from_raw(pid)))? else { continue };
        // The number may have gone to another process before the descriptor was opened; from now on it cannot.
        if super::remove::members(group)?.contains(&pid) {
            if_there(sys::pidfd_signal(pidfd.as_fd(), libc::SIGKILL))?;
        }
    }
    Ok(())
}

fn thaw(group: &Path) -> io::Result<()> {
    for (file, value) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
        let path = group.join(file);
        let opened = reach(&path).and_then(|path| fs::OpenOptions::new().write(true).open(path));
        let written = opened.and_then(|mut file| file.write_all(value.as_bytes()));
        if_there(written.map_err(|why| about(path.display(), &why)))?;
    }
    Ok(())
}
