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

    /// Whether the cgroup was there in some hierarchy. Without one of its own a container shares that of the runtime.
    pub fn was_there(&self, host: &Host) -> bool {
        let mut dirs = host.hierarchies.iter().map(|hierarchy| hierarchy.dir(&self.place.path));
        self.place.manager != Manager::Absent && dirs.any(|dir| !is_among(&self.made, &dir))
    }
}

/// Whether `dir` is one of `made`. All of them were joined from the same parts, so the texts are compared: by component
/// it takes long for some ten hierarchies.
pub(super) fn is_among(made: &[PathBuf], dir: &Path) -> bool {
    made.iter().any(|made| made.as_os_str() == dir.as_os_str())
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
        let host = Host { hierarchies: vec![hierarchy] };
        let site = Site::survey(place.clone(), &host);
        assert_eq!(site.made, [dir.path().join("there/a"), dir.path().join("there/a/b")]);
        assert!(!site.was_there(&host));
        std::fs::create_dir_all(dir.path().join("there/a/b")).unwrap();
        assert!(Site::survey(place, &host).was_there(&host));
    }
}
