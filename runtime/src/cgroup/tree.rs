//! A cgroup kept by this runtime itself: directories in the cgroup filesystems.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::{Gid, Pid, Uid};

use super::device;
use super::group::Group;
use super::host::{Hierarchy, Host, Version};
use super::site::Site;
use super::{
    Below, Cgroup, Entry, Mounts, OomEvents, PreparedRules, Stats, below, entry, freezer, kill, ownership, remove,
    settings, stats,
};
use crate::config::{DeviceRule, Resources};
use crate::error::{Context, Error, Result};

/// The container's cgroup in every hierarchy.
#[derive(Debug)]
pub(super) struct Tree {
    host: Host,
    path: String,
    made: Vec<PathBuf>,
    members: Vec<Member>,
}

/// The container's cgroup in one hierarchy.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) hierarchy: Hierarchy,
    pub(super) group: Group,
}

impl Tree {
    pub(super) fn new(site: &Site, host: &Host) -> Self {
        let member = |hierarchy: &Hierarchy| Member {
            hierarchy: hierarchy.clone(),
            group: Group::new(hierarchy.dir(&site.place.path)),
        };
        Self {
            host: host.clone(),
            path: site.place.path.clone(),
            made: site.made.clone(),
            members: host.hierarchies.iter().map(member).collect(),
        }
    }

    pub(super) fn made(&self) -> &[PathBuf] {
        &self.made
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The version 2 cgroup.
    pub(super) fn unified(&self) -> Option<&Group> {
        let mut members = self.members.iter();
        members.find(|member| member.hierarchy.version == Version::V2).map(|member| &member.group)
    }

    /// The version 1 cgroup of a controller.
    pub(super) fn legacy(&self, controller: &str) -> Option<&Group> {
        self.members.iter().find(|member| member.hierarchy.has(controller)).map(|member| &member.group)
    }

    /// Whether there are hierarchies of version 1 beside that of version 2.
    pub(super) fn is_hybrid(&self) -> bool {
        self.unified().is_some() && self.members.len() > 1
    }

    /// The cgroup by which the container's processes are listed.
    pub(super) fn primary(&self) -> Option<&Group> {
        let legacy = self.legacy("freezer").or_else(|| self.legacy("devices"));
        legacy.or_else(|| self.members.first().map(|member| &member.group))
    }

    /// Makes what is missing in one hierarchy, and makes it fit for a process.
    fn make_in(&self, member: &Member) -> Result<()> {
        let mount = &member.hierarchy.mount;
        for dir in self.made_in(&member.hierarchy) {
            make_directory(dir)?;
            if member.hierarchy.has("cpuset") {
                inherit_cpuset(&Group::new(dir), mount)?;
            }
        }
        if member.hierarchy.version == Version::V2 {
            enable_controllers(mount, &member.group.dir);
        }
        Ok(())
    }

    /// The directories of one hierarchy that are the container's to make, outer ones first. Their paths are its mount
    /// point and more, as bytes: to compare them by component would take as long as to make one.
    fn made_in<'a>(&'a self, hierarchy: &'a Hierarchy) -> impl Iterator<Item = &'a Path> {
        let mount = hierarchy.mount.as_os_str().as_bytes();
        let below = move |dir: &&PathBuf| {
            dir.as_os_str().as_bytes().strip_prefix(mount).is_some_and(|rest| rest.starts_with(b"/"))
        };
        self.made.iter().filter(below).map(PathBuf::as_path)
    }

    fn legacy_dirs(&self) -> impl Iterator<Item = &Path> {
        let legacy = self.members.iter().filter(|member| member.hierarchy.version == Version::V1);
        legacy.map(|member| member.group.dir.as_path())
    }
}

impl Cgroup for Tree {
    fn make(&self) -> Result<()> {
        self.members.iter().try_for_each(|member| self.make_in(member))
    }

    fn is_joined_late(&self) -> bool {
        self.legacy_dirs().next().is_some()
    }

    fn clone_target(&self) -> Result<Option<OwnedFd>> {
        let Some(member) = self.members.iter().find(|member| member.hierarchy.version == Version::V2) else {
            return Ok(None);
        };
        self.made_in(&member.hierarchy).try_for_each(make_directory)?;
        entry::open_directory(&member.group.dir).map(Some)
    }

    fn entry(&self, init: Option<Pid>) -> Result<Entry> {
        let Some(init) = init else {
            return Entry::open(self.unified().map(|group| group.dir.as_path()), self.legacy_dirs());
        };
        let of_init = self.host.of_process(init)?;
        let dirs = |version| of_init.iter().filter(move |(found, _)| *found == version).map(|(_, dir)| dir.as_path());
        Entry::open(dirs(Version::V2).next(), dirs(Version::V1))
    }

    fn entry_below(&self, chosen: &[Below]) -> Result<Entry> {
        let hierarchies: Vec<_> = self.members.iter().map(|member| &member.hierarchy).collect();
        below::check(chosen, &hierarchies)?;
        let dirs = self.members.iter().map(|member| {
            let dir = member.group.dir.join(below::path_in(chosen, &member.hierarchy));
            (member.hierarchy.version, dir)
        });
        let (unified, legacy): (Vec<_>, Vec<_>) = dirs.partition(|(version, _)| *version == Version::V2);
        let unified = unified.first().map(|(_, dir)| dir.as_path());
        Entry::open(unified, legacy.iter().map(|(_, dir)| dir.as_path()))
    }

    fn adopt(&self, _: Pid) -> Result<()> {
        Ok(())
    }

    fn adopts(&self) -> bool {
        false
    }

    fn apply(&self, resources: &Resources) -> Result<()> {
        settings::apply(resources, self)
    }

    fn prepare_device_rules(&self, rules: &[DeviceRule]) -> Result<PreparedRules> {
        device::prepare(rules, self.legacy("devices"), self.unified())
    }

    fn hand_over(&self, uid: Uid, gid: Gid) -> Result<()> {
        let unified = self.unified().filter(|_| !self.is_hybrid());
        unified.map_or(Ok(()), |group| ownership::change(group, uid, gid))
    }

    fn freeze(&self, frozen: bool) -> Result<()> {
        freezer::set(self, frozen)
    }

    fn thaw(&self) -> Result<()> {
        freezer::thaw(self)
    }

    fn is_frozen(&self) -> Result<bool> {
        Ok(freezer::is_set(self))
    }

    fn kill(&self) -> Result<()> {
        kill::all(self)
    }

    fn processes(&self) -> Result<Vec<Pid>> {
        kill::processes(self)
    }

    fn stats(&self) -> Result<Stats> {
        Ok(stats::read(self))
    }

    fn oom_events(&self) -> Result<OomEvents> {
        match (self.legacy("memory"), self.unified()) {
            (Some(group), _) => OomEvents::v1(group),
            (None, Some(group)) => OomEvents::v2(group),
            (None, None) => Err(Error::new("no mounted cgroup hierarchy has the controller `memory`")),
        }
    }

    fn remove_if_empty(&self) -> Result<bool> {
        remove::if_empty(self)
    }

    fn remove(&self) -> Result<()> {
        remove::all(self)
    }

    fn mounts(&self) -> Mounts {
        Mounts::new(&self.host, |hierarchy| hierarchy.dir(&self.path))
    }
}

/// Another container may have made the directory since, when it is above both.
fn make_directory(dir: &Path) -> Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // The directory above was there, and went with the last container in it.
        Err(error) if error.kind() == ErrorKind::NotFound => fs::create_dir_all(dir),
        made => made,
    }
    .doing(|| format!("make the cgroup `{}`", dir.display()))
}

/// Enables every available controller in the cgroups from the mount point down to the one above `leaf`. One that cannot
/// be enabled matters only when a limit needs it: the limit's file is missing then.
fn enable_controllers(mount: &Path, leaf: &Path) {
    let above: Vec<_> = leaf.ancestors().skip(1).take_while(|dir| dir.starts_with(mount)).collect();
    for group in above.into_iter().rev().map(Group::new) {
        let available = group.read_if_there("cgroup.controllers").unwrap_or_default();
        let enabled = group.read_if_there("cgroup.subtree_control").unwrap_or_default();
        let enabled: Vec<_> = enabled.split(' ').collect();
        let missing: Vec<_> = available.split(' ').filter(|name| !name.is_empty() && !enabled.contains(name)).collect();
        if missing.is_empty() || is_crowded(&group) {
            continue;
        }
        for name in missing {
            group.write("cgroup.subtree_control", &format!("+{name}")).ok();
        }
    }
}

/// Whether a cgroup has processes of its own, as the one has that a container sees as the root. Below such a one the kernel
/// hands on only the controllers of threads, and a cgroup that gets those takes no process any more.
fn is_crowded(group: &Group) -> bool {
    let is_root = !group.file("cgroup.type").exists();
    !is_root && group.read_if_there("cgroup.procs").is_some_and(|processes| !processes.is_empty())
}

/// A new cpuset of version 1 is empty and takes no process until it has processors and nodes: those of the one above,
/// which may be as empty when it was made by somebody who had no use for it.
fn inherit_cpuset(group: &Group, mount: &Path) -> Result<()> {
    if group.dir == mount {
        return Ok(());
    }
    let above = Group::new(group.dir.parent().unwrap_or(&group.dir));
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if !group.read(file)?.is_empty() {
            continue;
        }
        let mut value = above.read(file)?;
        if value.is_empty() {
            inherit_cpuset(&above, mount)?;
            value = above.read(file)?;
        }
        group.write(file, &value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_with_processes_hands_no_controller_on() {
        for (processes, enabled) in [("1\n", ""), ("", "+pids")] {
            let dir = tempfile::tempdir().unwrap();
            let files =
                [("type", "domain\n"), ("controllers", "pids\n"), ("procs", processes), ("subtree_control", "")];
            files.iter().for_each(|(name, text)| fs::write(dir.path().join(format!("cgroup.{name}")), text).unwrap());
            enable_controllers(dir.path(), &dir.path().join("leaf"));
            assert_eq!(
                fs::read_to_string(dir.path().join("cgroup.subtree_control")).unwrap(),
                enabled,
                "{processes:?}"
            );
        }
    }
}
