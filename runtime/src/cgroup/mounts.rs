//! What a mount of type `cgroup` shows in the container.
//!
//! It is made of bind mounts of the container's own cgroup, with and without a cgroup namespace: a fresh mount of a
//! hierarchy from the initial namespace would show all cgroups of the host, and wait for an RCU grace period.

use std::path::PathBuf;

use super::host::{Host, Version};

/// One hierarchy of version 1, or that of version 2 beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Directory below the destination, such as `cpu,cpuacct`.
    pub name: String,
    /// The container's cgroup on the host.
    pub source: PathBuf,
}

/// What to put at the destination of the mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mounts {
    /// Version 2: this directory of the host, bound there.
    Unified(PathBuf),
    /// Version 1 and hybrid: a tmpfs with a directory for each hierarchy, and a symbolic link for each controller that
    /// is not the name of its directory. When the mount is read-only, each bind and then the tmpfs are.
    Legacy {
        /// The directories and what is bound to them.
        binds: Vec<Bind>,
        /// Name and target of each symbolic link, such as `cpu` and `cpu,cpuacct`.
        links: Vec<(String, String)>,
    },
}

impl Mounts {
    /// `path_in` says where the container's cgroup is in a hierarchy.
    pub(super) fn new(host: &Host, path_in: impl Fn(&super::Hierarchy) -> PathBuf) -> Self {
        if let [only] = &host.hierarchies[..]
            && only.version == Version::V2
        {
            return Self::Unified(path_in(only));
        }
        let mut binds = Vec::new();
        let mut links = Vec::new();
        for hierarchy in &host.hierarchies {
            let name = hierarchy.mount.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let controllers = hierarchy.controllers.iter().filter(|controller| !controller.starts_with("name="));
            links.extend(controllers.filter(|controller| **controller != name).map(|c| (c.clone(), name.clone())));
            binds.push(Bind { name, source: path_in(hierarchy) });
        }
        Self::Legacy { binds, links }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Hierarchy;
    use super::*;

    fn hierarchy(mount: &str, version: Version, controllers: &[&str]) -> Hierarchy {
        let controllers = controllers.iter().map(|name| (*name).to_owned()).collect();
        Hierarchy { mount: mount.into(), version, controllers, own: "/".into() }
    }

    #[test]
    fn version_2_is_one_directory() {
        let host = Host { hierarchies: vec![hierarchy("/sys/fs/cgroup", Version::V2, &[])] };
        assert_eq!(Mounts::new(&host, |h| h.dir("/x")), Mounts::Unified("/sys/fs/cgroup/x".into()));
    }

    #[test]
    fn version_1_links_what_shares_a_hierarchy() {
        let host = Host {
            hierarchies: vec![
                hierarchy("/c/cpu,cpuacct", Version::V1, &["cpu", "cpuacct"]),
                hierarchy("/c/systemd", Version::V1, &["name=systemd"]),
                hierarchy("/c/unified", Version::V2, &[]),
            ],
        };
        let Mounts::Legacy { binds, links } = Mounts::new(&host, |h| h.dir("/x")) else { panic!("not version 1") };
        let names: Vec<_> = binds.iter().map(|bind| bind.name.as_str()).collect();
        assert_eq!(names, ["cpu,cpuacct", "systemd", "unified"]);
        let target = || "cpu,cpuacct".to_owned();
        assert_eq!(links, [("cpu".to_owned(), target()), ("cpuacct".to_owned(), target())]);
    }
}
