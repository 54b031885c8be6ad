//! Cgroups, read from the kernel's files: the hierarchies, the membership of processes, and the settings of a cgroup. See cgroups(7).
//! The directory of a cgroup comes from mountinfo and is never guessed.

mod confine;
mod knob;
mod limit;
mod options;
mod reach;
mod remove;
mod run;
mod top;
mod tree;
mod view;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;
use serde::Serialize;

use crate::system::proc::files::{if_there, malformed, read_text};
use crate::system::proc::mountinfo::{self, Mount};
use crate::system::saved_mounts;

pub(crate) use confine::{confine, own_roots, thaw_own};
pub use confine::{is_confined, made_by_check, reached};
pub use knob::{Knob, KnobValue, NewGroup, on_offer};
pub use options::{NSDELEGATE, options, set_options};
pub use remove::remove_tree;
pub(crate) use run::LEAF;
pub use run::{CheckGroups, RunGroups};
pub use tree::{empty_ones, find_named, kill_below, thaw_below};
pub use view::show_v1_only;

/// What the mounts show of control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Controllers of version 1 only.
    V1,
    /// Controllers of version 1 and a mount of version 2.
    Hybrid,
    /// Version 2 only.
    V2,
    /// No controller to be seen.
    None,
}

impl Mode {
    /// As this process sees it.
    ///
    /// # Errors
    /// When its files in `/proc` cannot be read.
    pub fn of_host() -> io::Result<Self> {
        Ok(Self::of(&hierarchies()?))
    }

    fn of(hierarchies: &[Hierarchy]) -> Self {
        let v2 = hierarchies.iter().any(|hierarchy| hierarchy.v2);
        // A hierarchy with nothing but a name limits nothing, so it does not make a host one of version 1.
        let v1 = hierarchies.iter().flat_map(|hierarchy| &hierarchy.controllers).any(|name| !name.starts_with("name="));
        match (v1, v2) {
            (true, false) => Self::V1,
            (true, true) => Self::Hybrid,
            (false, true) => Self::V2,
            (false, false) => Self::None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V1 => "v1",
            Self::Hybrid => "hybrid",
            Self::V2 => "v2",
            Self::None => "none",
        })
    }
}

/// Version of a hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Version {
    One,
    Two,
}

/// A hierarchy that is mounted where this process sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hierarchy {
    /// Its controllers, `name=systemd` among them; empty for version 2.
    pub controllers: Vec<String>,
    /// Whether it is the one of version 2.
    pub v2: bool,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The group that is at the mount point: `/` unless only a part is mounted.
    pub root: String,
}

/// The hierarchies that are mounted where this process sees them, each once.
///
/// # Errors
/// When its files in `/proc` cannot be read.
pub fn hierarchies() -> io::Result<Vec<Hierarchy>> {
    // The file of the process has a line for each hierarchy that the kernel knows.
    hierarchies_in(&saved_mounts::mounts()?, &read_text("/proc/self/cgroup")?)
}

fn hierarchies_in(mounts: &[Mount], lines: &str) -> io::Result<Vec<Hierarchy>> {
    let mut found = Vec::new();
    for line in lines.lines() {
        let line = Line::parse(line)?;
        // Of several mounts, the one that shows most.
        if let Some(mount) = line.mounts(mounts).min_by_key(|mount| mount.root.len()) {
            let (mount, root) = (PathBuf::from(&mount.point), mount.root.clone());
            found.push(Hierarchy { v2: line.v2(), controllers: line.controllers, mount, root });
        }
    }
    Ok(found)
}

/// The group of a process in one hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// Version 1: the controllers of the hierarchy. Version 2: the controllers that are enabled in this group.
    pub controllers: Vec<String>,
    /// Whether this is the hierarchy of version 2.
    pub v2: bool,
    /// The group as `/proc/PID/cgroup` has it, seen from our cgroup namespace.
    pub path: String,
    /// Its directory; `None` when no mount that we see shows it.
    pub dir: Option<PathBuf>,
}

impl Membership {
    /// Reads a file of the group.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when the group has no directory or no such file.
    pub fn read(&self, file: &str) -> io::Result<String> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, format!("no mount shows the cgroup {}", self.path));
        read_text(self.dir.as_ref().ok_or_else(missing)?.join(file))
    }
}

/// The groups of a process, one for each hierarchy that the kernel knows.
///
/// # Errors
/// When there is no such process, or a file of `/proc` cannot be read.
pub fn of(pid: Pid) -> io::Result<Vec<Membership>> {
    memberships(&read_text(format!("/proc/{pid}/cgroup"))?)
}

/// As [`of`], from the text of `/proc/PID/cgroup`.
pub(crate) fn memberships(lines: &str) -> io::Result<Vec<Membership>> {
    let mut found = memberships_in(&saved_mounts::mounts()?, lines)?;
    for membership in found.iter_mut().filter(|membership| membership.v2) {
        // A group may be gone before its process is, and then nothing is enabled in it.
        let enabled = if_there(membership.read("cgroup.controllers"))?.unwrap_or_default();
        membership.controllers = enabled.split_whitespace().map(str::to_owned).collect();
    }
    Ok(found)
}

fn memberships_in(mounts: &[Mount], lines: &str) -> io::Result<Vec<Membership>> {
    let membership = |line: &str| {
        let line = Line::parse(line)?;
        let dir = line.mounts(mounts).find_map(|mount| line.directory(mount));
        Ok(Membership { v2: line.v2(), path: line.path.to_owned(), dir, controllers: line.controllers })
    };
    lines.lines().map(membership).collect()
}

/// The membership that governs a controller.
pub(crate) fn governing<'a>(memberships: &'a [Membership], controller: &str) -> Option<&'a Membership> {
    memberships.iter().find(|membership| membership.controllers.iter().any(|name| name == controller))
}

/// A line of `/proc/PID/cgroup`.
struct Line<'a> {
    controllers: Vec<String>,
    path: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> io::Result<Self> {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { return Err(malformed(line)) };
        let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Ok(Self { controllers, path })
    }

    /// The line of version 2 names no controllers.
    fn v2(&self) -> bool {
        self.controllers.is_empty()
    }

    /// The mounts of this hierarchy that paths lead to.
    fn mounts<'m>(&self, mounts: &'m [Mount]) -> impl Iterator<Item = &'m Mount> {
        mounts.iter().filter(|mount| self.is_mounted_by(mount) && mountinfo::is_visible(mounts, mount))
    }

    fn is_mounted_by(&self, mount: &Mount) -> bool {
        if self.v2() {
            return mount.kind == "cgroup2";
        }
        mount.kind == "cgroup" && self.controllers.iter().all(|name| mount.super_options.contains(name))
    }

    /// Where a mount shows the group; `None` when it shows another part of the hierarchy.
    fn directory(&self, mount: &Mount) -> Option<PathBuf> {
        // The kernel says so of a group that was removed and still has a dead process.
        if self.path.ends_with(" (deleted)") {
            return None;
        }
        let below = Path::new(self.path).strip_prefix(&mount.root).ok()?;
        // From within a cgroup namespace, what is outside of it begins with `/..`: there is no way up from a mount.
        let inside = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        inside.then(|| Path::new(&mount.point).join(below))
    }
}

#[cfg(test)]
mod tests;
