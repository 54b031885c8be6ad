//! The cgroups of a check, as the check sees them: they are the roots of all hierarchies, so whatever a runtime makes, under any name, is
//! below them.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::mount::{MntFlags, umount2};
use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};

use super::run::CheckGroups;
use super::top;
use super::tree::below;
use super::{find_named, limit, thaw_below};
use crate::system::proc::files::{about, if_there};
use crate::system::proc::mountinfo;
use crate::system::saved_mounts;

/// Where hosts keep their mounts of control groups.
const TOP: &str = "/sys/fs/cgroup";

/// The cgroups that this process is confined to.
static OWN: OnceLock<Vec<Own>> = OnceLock::new();

/// A hierarchy of which this process sees nothing but the group of the check.
#[derive(Debug)]
struct Own {
    mount: PathBuf,
    /// What is in the group from the start.
    furnished: Vec<PathBuf>,
}

/// Replaces each mount of control groups by one of the check's group. Changes the mount namespace of this process, which must be
/// its own; its cgroup namespace has been made in these groups.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn confine(groups: &CheckGroups) -> io::Result<()> {
    let trees: Vec<(&Path, OwnedFd)> =
        groups.describe().map(|(point, within)| Ok((point, tree(&point.join(within))?))).collect::<io::Result<_>>()?;
    let points: Vec<&Path> = trees.iter().map(|(point, _)| *point).collect();
    detach(&points)?;
    for (point, tree) in &trees {
        attach(tree, point)?;
    }
    let own = |(mount, furnished): (&Path, Vec<PathBuf>)| Own {
        furnished: furnished.into_iter().map(|path| mount.join(path)).collect(),
        mount: mount.to_owned(),
    };
    OWN.set(groups.furnished().map(own).collect()).map_err(|_| io::Error::other("confined a second time"))
}

/// A copy of the mount at a path, of that directory alone and attached to nothing yet.
fn tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    open_tree(CWD, path, flags).map_err(|why| about(path.display(), &why.into()))
}

fn attach(tree: &OwnedFd, point: &Path) -> io::Result<()> {
    let moved = move_mount(tree, c"", CWD, point, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH);
    moved.map_err(|why| about(point.display(), &why.into()))
}

/// Detaches what is mounted there. The directory that holds them becomes one of the check's own: that of the host is one that
/// everybody writes to.
fn detach(points: &[&Path]) -> io::Result<()> {
    let mounts = saved_mounts::mounts()?;
    let top = mountinfo::mount_at(&mounts, TOP).filter(|mount| mount.kind == "tmpfs");
    let in_top =
        mounts.iter().map(|mount| Path::new(&mount.point)).filter(|point| point.parent() == Some(Path::new(TOP)));
    let others = in_top.filter(|point| !points.contains(point));
    let mut rest: Vec<&Path> = points.to_vec();
    // All at once costs one wait for the kernel instead of ten.
    if top.is_some() {
        let kept: Vec<(&Path, OwnedFd)> = others.map(|point| Ok((point, tree(point)?))).collect::<io::Result<_>>()?;
        let private = top::alike(Path::new(TOP))?;
        away(Path::new(TOP))?;
        attach(&private, Path::new(TOP))?;
        kept.iter().try_for_each(|(point, tree)| attach(tree, point))?;
        rest.retain(|point| !point.starts_with(TOP));
    }
    rest.into_iter().try_for_each(away)
}

fn away(point: &Path) -> io::Result<()> {
    let flags = MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW;
    umount2(point, flags).map_err(|why| about(point.display(), &why.into()))
}

/// Whether this process sees no groups but those of its check.
#[must_use]
pub fn is_confined() -> bool {
    OWN.get().is_some()
}

/// The groups that the check has for itself, as it sees them; none unless it is confined.
pub(crate) fn own_roots() -> Vec<&'static Path> {
    OWN.get().into_iter().flatten().map(|own| own.mount.as_path()).collect()
}

/// Thaws what the check has frozen in version 1, where frozen processes do not die. A check that is not confined knows too little
/// of its groups, and then nothing is done.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn thaw_own() -> io::Result<()> {
    own_roots().into_iter().filter(|root| root.join("freezer.state").exists()).try_for_each(thaw_below)
}

/// The groups that this check or its runtime has made and that are there now: a group comes before those in it. A check that is
/// not confined knows them by the tag in their names.
///
/// # Errors
/// When a hierarchy cannot be listed.
pub fn made_by_check(tag: &str) -> io::Result<Vec<PathBuf>> {
    let Some(own) = OWN.get() else { return find_named(tag) };
    let mut found = Vec::new();
    for own in own.iter().filter(|own| !own.is_as_furnished()) {
        found.extend(below(&own.mount)?.into_iter().filter(|dir| !own.furnished.contains(dir)));
    }
    Ok(found)
}

/// The limits that the check has reached, in words.
#[must_use]
pub fn reached() -> Vec<String> {
    own_roots().into_iter().flat_map(limit::reached).collect()
}

impl Own {
    /// Whether nothing is there but what was from the start: the kernel counts a link for each directory in one, which spares
    /// the list.
    fn is_as_furnished(&self) -> bool {
        let links = |dir: &Path| if_there(fs::symlink_metadata(dir)).ok().flatten().map(|status| status.nlink());
        let counts: Vec<Option<u64>> = self.furnished.iter().map(|dir| links(dir)).collect();
        let there = counts.iter().flatten().count() as u64;
        counts.iter().flatten().all(|count| *count == 2) && links(&self.mount) == Some(2 + there)
    }
}
