//! Removing the directories of a cgroup.

use std::fs;
use std::io::ErrorKind;

use rustix::io::Errno;

use super::group::Group;
use super::host::Version;
use super::kill;
use super::site::is_among;
use super::tree::Tree;
use super::wait::{Deadline, TIMEOUT, wait_for_line};
use crate::error::{Context, Result};

/// Removes what was made, with all cgroups below, from the inside out.
pub(super) fn all(tree: &Tree) -> Result<()> {
    for member in tree.members() {
        if is_among(tree.made(), &member.group.dir) {
            remove(&member.group, member.hierarchy.version)?;
        }
    }
    // The ones above are removed unless somebody else has come to use them.
    let leaves: Vec<_> = tree.members().iter().map(|member| member.group.dir.clone()).collect();
    for above in tree.made().iter().rev().filter(|dir| !is_among(&leaves, dir)) {
        is_removed(&Group::new(above))?;
    }
    Ok(())
}

/// Removes all of it if nobody is in the cgroup by which the processes are listed: the kernel refuses that else, and looking
/// first would take longer. When another one is in the way, what is left is for who kills first.
pub(super) fn if_empty(tree: &Tree) -> Result<bool> {
    match tree.primary().filter(|group| is_among(tree.made(), &group.dir)) {
        Some(group) if is_removed(group)? => Ok(all(tree).is_ok()),
        _ => Ok(false),
    }
}

/// Removes a cgroup at once, as it can be nearly always: what is in its way is looked for only when something is.
fn remove(group: &Group, version: Version) -> Result<()> {
    let deadline = Deadline::after(TIMEOUT);
    while !is_removed(group)? {
        for below in group.with_descendants().iter().skip(1).rev() {
            is_removed(below)?;
        }
        if !kill::is_empty(group) || deadline.is_over() {
            return Err(Errno::BUSY).doing(|| busy(group));
        }
        // The last process counts until the kernel is done with its exit, some microseconds after its end is seen.
        // Version 2 tells when it is over; version 1 does not, and is asked again.
        if version == Version::V2 && group.dir.exists() {
            wait_for_line(group, "cgroup.events", "populated 0", deadline)?;
        }
        std::thread::yield_now();
    }
    Ok(())
}

/// Tries to remove the directory; says whether it is gone, and not so when it is busy.
fn is_removed(group: &Group) -> Result<bool> {
    match fs::remove_dir(&group.dir) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::ResourceBusy | ErrorKind::DirectoryNotEmpty) => Ok(false),
        Err(error) => Err(error).doing(|| busy(group)),
    }
}

fn busy(group: &Group) -> String {
    let left = group.read_if_there("cgroup.procs").unwrap_or_default().replace('\n', ", ");
    let left = if left.is_empty() { String::new() } else { format!(", which has the processes {left}") };
    format!("remove the cgroup `{}`{left}", group.dir.display())
}
