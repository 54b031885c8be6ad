//! Removing the directories of a cgroup.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::group::Group;
use super::host::Version;
use super::kill;
use super::tree::{Member, Tree};
use super::wait::{Deadline, PATIENCE, wait_for_line};
use crate::error::{Context, Result};

/// Removes what was made, with all cgroups below, from the inside out.
pub(super) fn all(tree: &Tree) -> Result<()> {
    for member in tree.members() {
        if tree.made().contains(&member.group.dir) {
            for group in member.group.with_descendants().iter().rev() {
                remove(group, member)?;
            }
        }
    }
    // The ones above are removed unless somebody else has come to use them.
    let leaves: Vec<_> = tree.members().iter().map(|member| member.group.dir.as_path()).collect();
    for above in tree.made().iter().rev().filter(|dir| !leaves.contains(&dir.as_path())) {
        remove_if_empty(above)?;
    }
    Ok(())
}

/// The last process counts until the kernel is done with its exit, so the cgroup of a dead container can be busy for
/// some microseconds more. Version 2 tells when it is over; version 1 does not, and is asked again.
fn remove(group: &Group, member: &Member) -> Result<()> {
    let deadline = Deadline::after(PATIENCE);
    loop {
        match fs::remove_dir(&group.dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ResourceBusy && kill::is_empty(group) && !deadline.is_over() => {}
            Err(error) => return Err(error).doing(|| busy(group)),
        }
        if member.hierarchy.version == Version::V2 {
            wait_for_line(group, "cgroup.events", "populated 0", deadline)?;
        }
        std::thread::yield_now();
    }
}

fn busy(group: &Group) -> String {
    let left = group.read_if_there("cgroup.procs").unwrap_or_default().replace('\n', ", ");
    let left = if left.is_empty() { String::new() } else { format!(", which has the processes {left}") };
    format!("remove the cgroup `{}`{left}", group.dir.display())
}

fn remove_if_empty(dir: &Path) -> Result<()> {
    match fs::remove_dir(dir) {
        Err(error) if !matches!(error.kind(), ErrorKind::ResourceBusy | ErrorKind::NotFound) => {
            Err(error).doing(|| format!("remove the cgroup `{}`", dir.display()))
        }
        _ => Ok(()),
    }
}
