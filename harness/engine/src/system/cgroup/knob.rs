//! Settings of a cgroup by their files in either version, and their values in the container's own cgroup.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_foreign::read;

use super::{Membership, Version, hierarchies, remove_tree};
use crate::system::proc::files::if_there;

/// A setting of a control group: its controller, as version 1 calls it, and the file of each version. An empty name of a
/// file says that this version has no such setting; an empty controller, that the setting is of version 2 itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Knob {
    /// The controller.
    pub controller: &'static str,
    /// Its file in version 1.
    pub v1: &'static str,
    /// Its file in version 2.
    pub v2: &'static str,
}

/// What a group holds: the text of the file, and of which version it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnobValue {
    /// The version that governs the controller.
    pub version: Version,
    /// The file, without the line's end.
    pub text: String,
}

impl Knob {
    /// A setting that both versions have, with the same file.
    #[must_use]
    pub const fn of_both(controller: &'static str, file: &'static str) -> Self {
        Self { controller, v1: file, v2: file }
    }

    /// The file in a version; nothing where that has none.
    #[must_use]
    pub fn file(&self, version: Version) -> Option<&'static str> {
        let name = if version == Version::Two { self.v2 } else { self.v1 };
        (!name.is_empty()).then_some(name)
    }

    /// The directory of the group at `path` (or, where the process stands below it, of that group and not of the one
    /// below) that governs the controller, and the version.
    #[must_use]
    pub fn group(&self, memberships: &[Membership], path: &str) -> Option<(Version, PathBuf)> {
        let found = governing(memberships, self.controller)?;
        let version = if found.v2 { Version::Two } else { Version::One };
        let within = Path::new(&found.path).strip_prefix(path).ok().filter(|_| path.len() > 1);
        let below = within.map_or(0, |below| below.components().count());
        Some((version, found.dir.as_ref()?.ancestors().nth(below)?.to_owned()))
    }

    /// What the group at `path` holds, which a process with these memberships is in.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when no group governs the controller, or the group has no such file.
    pub fn value(&self, memberships: &[Membership], path: &str) -> io::Result<KnobValue> {
        let missing = |what: &str| io::Error::new(io::ErrorKind::NotFound, format!("{}: {what}", self.name()));
        let (version, dir) = self.group(memberships, path).ok_or_else(|| missing("no group governs it"))?;
        let file = self.file(version).ok_or_else(|| missing("this version of control groups has none"))?;
        let text = crate::system::proc::files::read_text(dir.join(file))?;
        Ok(KnobValue { version, text: text.trim_end().to_owned() })
    }

    /// Its file, for a reader.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.v1.is_empty() { self.v2 } else { self.v1 }
    }
}

/// The membership that governs a controller by its name in version 1. Version 1 comes first: what is bound there cannot
/// be enabled in version 2.
fn governing<'m>(memberships: &'m [Membership], controller: &str) -> Option<&'m Membership> {
    let later = name_in_v2(controller);
    let bound = |v2: bool, name: &str| {
        memberships.iter().find(|member| member.v2 == v2 && member.controllers.iter().any(|own| own == name))
    };
    let unified = || memberships.iter().find(|member| member.v2);
    // Where it is not enabled the file is not there, and that is what the reader has to know.
    bound(false, controller).or_else(|| bound(true, later)).or_else(unified)
}

fn name_in_v2(controller: &str) -> &str {
    if controller == "blkio" { "io" } else { controller }
}

/// The files that a new group has, by controller as version 1 calls it: those of version 2 under an empty name.
#[derive(Clone, Debug, Default)]
pub struct NewGroup {
    files: BTreeMap<String, Vec<String>>,
    /// The group of version 2 that has processes of its own, and so cannot hand its controllers on.
    crowded: Option<PathBuf>,
}

impl NewGroup {
    /// Looks at a group that is made for it at the top of each hierarchy, and removed.
    ///
    /// # Errors
    /// When a group cannot be listed or removed. One that may not be made is as if it had no files.
    pub fn look(name: &str) -> io::Result<Self> {
        let (mut files, mut crowded) = (BTreeMap::new(), None);
        for hierarchy in hierarchies()? {
            if hierarchy.v2 && is_crowded(&hierarchy.mount) {
                crowded = Some(hierarchy.mount.clone());
            }
            let group = hierarchy.mount.join(name);
            if std::fs::create_dir(&group).is_err() {
                continue;
            }
            let listed = list(&group);
            remove_tree(&group)?;
            let names = if hierarchy.v2 { vec![String::new()] } else { hierarchy.controllers };
            let listed = listed?;
            names.into_iter().for_each(|name| drop(files.insert(name, listed.clone())));
        }
        Ok(Self { files, crowded })
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &[&str])]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self { files: files.iter().map(|(name, files)| ((*name).to_owned(), owned(files))).collect(), crowded: None }
    }

    /// How a controller of version 2 comes to be enabled where the group at the top has processes.
    #[must_use]
    pub fn way_to_enable(&self, controller: &str) -> Option<String> {
        let top = self.crowded.as_ref()?.display();
        Some(format!("move the processes of {top} into a group below it, and enable controller {controller} there"))
    }

    /// Why a new group lacks this setting, and what would provide it; none if it has it.
    #[must_use]
    pub fn lacks(&self, knob: &Knob) -> Option<String> {
        let bound = self.files.get(knob.controller).filter(|_| !knob.controller.is_empty());
        let (version, files) = match (bound, self.files.get("")) {
            (Some(files), _) => (Version::One, files),
            (None, Some(files)) => (Version::Two, files),
            (None, None) => return Some(format!("no cgroup controller {}: mount or delegate it", knob.controller)),
        };
        let Some(file) = knob.file(version) else {
            let (other, mode) = if version == Version::Two { ("1", "v1") } else { ("2", "v2") };
            let name = knob.name();
            return Some(format!("{name} is of cgroup version {other} alone: `plimsoll vm --cgroup {mode}` has it"));
        };
        let there = files.iter().any(|name| name == file);
        let why = || {
            let controller = if version == Version::Two { name_in_v2(knob.controller) } else { knob.controller };
            let way = self.way_to_enable(controller).filter(|_| version == Version::Two);
            let way = way.unwrap_or_else(|| format!("enable controller {controller}, or boot a kernel that has it"));
            format!("a new cgroup has no {file}: {way}")
        };
        (!there).then(why)
    }
}

/// The controllers of version 2 that new groups at the top of it can have.
///
/// # Errors
/// When the group there cannot be read.
pub fn on_offer(top: &Path) -> io::Result<Vec<String>> {
    // One with processes keeps to what it has handed on before.
    let file = if is_crowded(top) { "cgroup.subtree_control" } else { "cgroup.controllers" };
    let names = read::kernel(top.join(file))?;
    Ok(names.split_whitespace().map(str::to_owned).collect())
}

/// Whether a group that is not the root of its hierarchy has processes, as the one that a container sees as the root.
fn is_crowded(group: &Path) -> bool {
    let processes = || read::kernel(group.join("cgroup.procs")).unwrap_or_default();
    group.join("cgroup.type").exists() && !processes().is_empty()
}

fn list(dir: &Path) -> io::Result<Vec<String>> {
    let names = |entries: std::fs::ReadDir| {
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<Vec<_>>>()
    };
    if_there(std::fs::read_dir(dir))?.map_or_else(|| Ok(Vec::new()), names)
}
