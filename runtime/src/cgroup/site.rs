//! What stands at a place before the container comes, and so what is the runtime's own to remove.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::host::{Host, Version};
use super::place::{Manager, Place};

/// A place, and the directories that were not there before: they are made, and removed with the container. What was
/// there stays. It is part of the container's record, which is written before anything is made: so a runtime that is
/// killed on the way leaves nothing that nobody knows of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Where.
    pub place: Place,
    /// Missing directories, outer ones first.
    pub made: Vec<PathBuf>,
}

impl Site {
    /// Looks at what stands at the place.
    pub fn survey(place: Place, host: &Host) -> Self {
        let mut made = Vec::new();
        if place.manager != Manager::Absent {
            for hierarchy in &host.hierarchies {
                let dir = hierarchy.dir(&place.path);
                match (&place.manager, hierarchy.version) {
                    // systemd makes the slices of its own hierarchy, and removes them when it likes.
                    (Manager::Systemd { .. }, Version::V2) => made.extend(Some(dir).filter(|dir| !dir.exists())),
                    _ => missing(&dir, &hierarchy.mount, &mut made),
                }
            }
        }
        Self { place, made }
    }

    /// A cgroup at the place that has processes already: they would be limited and, in the end, killed with the
    /// container. Specification: `config-linux.md#control-groups`.
    pub fn occupied(&self, host: &Host) -> Option<PathBuf> {
        if self.place.manager != Manager::Cgroupfs {
            return None;
        }
        let there = host.hierarchies.iter().map(|hierarchy| hierarchy.dir(&self.place.path));
        // A file that cannot be read says nothing; joining says what is wrong.
        let has_processes = |dir: &PathBuf| std::fs::read(dir.join("cgroup.procs")).is_ok_and(|pids| !pids.is_empty());
        there.filter(|dir| !self.made.contains(dir)).find(has_processes)
    }
}

/// Adds `dir` and the missing ones between it and the mount point, outermost first.
fn missing(dir: &Path, mount: &Path, found: &mut Vec<PathBuf>) {
    if dir.exists() {
        return;
    }
    if let Some(above) = dir.parent().filter(|above| *above != mount) {
        missing(above, mount, found);
    }
    found.push(dir.to_owned());
}

#[cfg(test)]
mod tests {
    use super::super::host::{Hierarchy, Version};
    use super::*;

    #[test]
    fn only_what_is_missing_is_made() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("there")).unwrap();
        let hierarchy =
            Hierarchy { mount: dir.path().into(), version: Version::V2, controllers: Vec::new(), own: "/".into() };
        let place = Place { manager: Manager::Cgroupfs, path: "/there/a/b".into() };
        let site = Site::survey(place, &Host { hierarchies: vec![hierarchy] });
        assert_eq!(site.made, [dir.path().join("there/a"), dir.path().join("there/a/b")]);
    }

    #[test]
    fn a_cgroup_with_processes_is_occupied() {
        let dir = tempfile::tempdir().unwrap();
        let there = dir.path().join("there");
        std::fs::create_dir(&there).unwrap();
        std::fs::write(there.join("cgroup.procs"), "").unwrap();
        let hierarchy =
            Hierarchy { mount: dir.path().into(), version: Version::V2, controllers: Vec::new(), own: "/".into() };
        let host = Host { hierarchies: vec![hierarchy] };
        let site = Site::survey(Place { manager: Manager::Cgroupfs, path: "/there".into() }, &host);
        assert_eq!(site.occupied(&host), None);
        std::fs::write(there.join("cgroup.procs"), "1\n").unwrap();
        assert_eq!(site.occupied(&host), Some(there));
    }
}
