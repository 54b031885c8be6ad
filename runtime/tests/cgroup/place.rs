//! A cgroup of a test's own, removed with it.

use std::path::PathBuf;

use plimsoll_runtime::cgroup::{self, Cgroup, Host, Place, Request, Site, Version};
use plimsoll_runtime::config::Resources;

pub struct Room {
    pub host: Host,
    pub path: String,
    pub cgroup: Box<dyn Cgroup>,
}

impl Room {
    /// Makes a cgroup, or says why not.
    pub fn make(name: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: needs root");
            return None;
        }
        let host = match Host::detect() {
            Ok(host) => host,
            Err(error) => {
                eprintln!("skipped: {error}");
                return None;
            }
        };
        let path = format!("/plimsoll-test-{}-{name}/inner", std::process::id());
        let request = Request { id: name, cgroups_path: Some(&path), systemd: false, rootless: false };
        let site = Site::survey(Place::choose(request, &host).unwrap(), &host);
        let cgroup = cgroup::open(&site, &host).unwrap();
        cgroup.make().unwrap();
        Some(Self { host, path, cgroup })
    }

    pub fn apply(&self, json: &str) -> Result<(), String> {
        let resources: Resources = serde_json::from_str(json).unwrap();
        resources.validate("linux.resources").unwrap();
        self.cgroup.apply(&resources).map_err(|error| error.to_string())
    }

    /// The cgroup in version 2.
    pub fn unified(&self) -> Option<PathBuf> {
        Some(self.host.unified()?.dir(&self.path))
    }

    /// The version that has a controller, and the directory there.
    pub fn home(&self, controller: &str) -> Option<(Version, PathBuf)> {
        if let Some(legacy) = self.host.legacy().find(|hierarchy| hierarchy.has(controller)) {
            return Some((Version::V1, legacy.dir(&self.path)));
        }
        let dir = self.unified()?;
        let enabled = std::fs::read_to_string(dir.join("cgroup.controllers")).unwrap();
        let there = enabled.split_whitespace().any(|name| name == controller);
        there.then_some((Version::V2, dir))
    }

    /// Reads a file back, whose name and controller depend on the version; nothing when the kernel has none of them.
    pub fn read(&self, v1: (&str, &str), v2: (&str, &str)) -> Option<String> {
        let found = self.home(v1.0).or_else(|| self.home(v2.0))?;
        let file = if found.0 == Version::V1 { v1.1 } else { v2.1 };
        std::fs::read_to_string(found.1.join(file)).ok().map(|text| text.trim_end().to_owned())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.cgroup.kill().unwrap();
        self.cgroup.remove().unwrap();
        for hierarchy in &self.host.hierarchies {
            let dir = hierarchy.dir(&self.path);
            assert!(!dir.parent().unwrap().exists(), "{} is left", dir.display());
        }
    }
}
