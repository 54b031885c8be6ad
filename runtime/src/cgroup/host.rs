//! The hierarchies of this host: which controllers they have, where they are mounted, where this process is.
//!
//! cgroups(7). Version 1 has a mount for each set of controllers, version 2 a single one; a hybrid host has both and
//! each controller belongs to one of the two.

use std::cell::LazyCell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use rustix::fs::statfs;
use rustix::process::Pid;

use crate::error::{Context, Error, Result};

/// Where every distribution mounts its hierarchies.
const ROOT: &str = "/sys/fs/cgroup";

/// `CGROUP2_SUPER_MAGIC` of statfs(2).
const CGROUP2_MAGIC: u64 = 0x6367_7270;

/// `CGROUP_SUPER_MAGIC` of statfs(2).
const CGROUP1_MAGIC: u64 = 0x0027_e0eb;

/// The two interfaces that the kernel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One hierarchy for each set of controllers.
    V1,
    /// One hierarchy for all.
    V2,
}

/// One mounted hierarchy.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    /// Its mount point.
    pub mount: PathBuf,
    /// The interface it has.
    pub version: Version,
    /// Controllers of version 1, or its `name=…`; empty for version 2, whose controllers differ from cgroup to cgroup.
    pub controllers: Vec<String>,
    /// The cgroup of this process, from the root of the hierarchy.
    pub own: String,
}

impl Hierarchy {
    /// Whether the version 1 hierarchy has this controller.
    pub fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }

    /// The directory of the cgroup `path`, which starts with `/`.
    pub fn dir(&self, path: &str) -> PathBuf {
        self.mount.join(path.trim_start_matches('/'))
    }

    /// The directory of a cgroup that the kernel names from the root of the hierarchy. In a container without a cgroup
    /// namespace the mount begins at another cgroup, that of the container.
    fn dir_seen_from_here(&self, path: &str, mounts: &CgroupMounts) -> PathBuf {
        let dir = self.dir(path);
        if dir.exists() {
            return dir;
        }
        let own = mounts.iter().find(|mount| mount.point == self.mount);
        own.and_then(|mount| Some(self.dir(path.strip_prefix(&mount.root)?))).unwrap_or(dir)
    }
}

/// The hierarchies that are mounted on this host.
#[derive(Debug, Clone)]
pub struct Host {
    /// All of them; of version 2 there is at most one.
    pub hierarchies: Vec<Hierarchy>,
}

impl Host {
    /// Looks at `/proc/self/cgroup`, and for each line there at the usual mount point; the mount table, which can be
    /// long, is read only for what is mounted elsewhere. Where version 2 is mounted in the place of all, it is alone: a
    /// hierarchy of version 1 somewhere else has another purpose than containers.
    ///
    /// # Errors
    /// When `/proc/self/cgroup` cannot be read, or no hierarchy is mounted.
    pub fn detect() -> Result<Self> {
        let text = fs::read_to_string("/proc/self/cgroup").doing(|| "read `/proc/self/cgroup`".into())?;
        let mounts = CgroupMounts::new(cgroup_mounts);
        let alone = is_mounted(Path::new(ROOT), CGROUP2_MAGIC);
        let lines = text.lines().filter_map(Line::parse).filter(|line| !alone || line.version() == Version::V2);
        let found = lines.filter_map(|line| {
            let usual = line.usual_mount(alone);
            let mount = usual.or_else(|| mounts.iter().find_map(|mount| line.mounted(mount)));
            mount.map(|mount| line.at(mount))
        });
        let hierarchies: Vec<_> = found.collect();
        if hierarchies.is_empty() {
            return Err(Error::new(format!("no cgroup hierarchy is mounted below `{ROOT}`; mount cgroup2 there")));
        }
        Ok(Self { hierarchies })
    }

    /// The cgroups that a process is in, by version and directory, in the hierarchies of this host.
    pub(super) fn of_process(&self, pid: Pid) -> Result<Vec<(Version, PathBuf)>> {
        let path = format!("/proc/{}/cgroup", pid.as_raw_nonzero());
        let text = fs::read_to_string(&path).doing(|| format!("read `{path}`"))?;
        let mounts = CgroupMounts::new(cgroup_mounts);
        let of = |line: Line<'_>| {
            let same = |hierarchy: &&Hierarchy| hierarchy.controllers.join(",") == line.controllers;
            let hierarchy = self.hierarchies.iter().find(same)?;
            Some((hierarchy.version, hierarchy.dir_seen_from_here(line.path, &mounts)))
        };
        Ok(text.lines().filter_map(Line::parse).filter_map(of).collect())
    }

    /// The version 2 hierarchy.
    pub fn unified(&self) -> Option<&Hierarchy> {
        self.hierarchies.iter().find(|hierarchy| hierarchy.version == Version::V2)
    }

    /// The version 1 hierarchies.
    pub fn legacy(&self) -> impl Iterator<Item = &Hierarchy> {
        self.hierarchies.iter().filter(|hierarchy| hierarchy.version == Version::V1)
    }
}

/// One line of `/proc/<pid>/cgroup`.
struct Line<'a> {
    controllers: &'a str,
    path: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.splitn(3, ':').skip(1);
        Some(Self { controllers: fields.next()?, path: fields.next()? })
    }

    fn version(&self) -> Version {
        if self.controllers.is_empty() { Version::V2 } else { Version::V1 }
    }

    /// The conventional mount point, when a hierarchy of the right version is there: version 2 has that of all when it is
    /// alone.
    fn usual_mount(&self, alone: bool) -> Option<PathBuf> {
        let root = Path::new(ROOT);
        match self.version() {
            Version::V2 if alone => Some(root.to_owned()),
            Version::V2 => Some(root.join("unified")).filter(|path| is_mounted(path, CGROUP2_MAGIC)),
            Version::V1 => {
                let name = self.controllers.strip_prefix("name=").unwrap_or(self.controllers);
                Some(root.join(name)).filter(|path| is_mounted(path, CGROUP1_MAGIC))
            }
        }
    }

    /// The mount point of a line of the mount table, when it is this hierarchy.
    fn mounted(&self, mount: &CgroupMount) -> Option<PathBuf> {
        let same = match self.version() {
            Version::V2 => mount.kind == "cgroup2",
            Version::V1 => {
                let mut wanted = self.controllers.split(',');
                mount.kind == "cgroup" && wanted.all(|name| mount.options.split(',').any(|option| option == name))
            }
        };
        same.then(|| mount.point.clone())
    }

    fn at(&self, mount: PathBuf) -> Hierarchy {
        let controllers = self.controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Hierarchy { mount, version: self.version(), controllers, own: self.path.to_owned() }
    }
}

fn is_mounted(path: &Path, magic: u64) -> bool {
    statfs(path).is_ok_and(|found| u64::try_from(found.f_type) == Ok(magic))
}

/// A mount of type `cgroup` or `cgroup2`.
struct CgroupMount {
    /// The cgroup that it begins at.
    root: String,
    point: PathBuf,
    kind: String,
    options: String,
}

/// Those that there are. The table can be long, so it is read when somebody asks for the first time, and not again.
type CgroupMounts = LazyCell<Vec<CgroupMount>>;

/// proc_pid_mountinfo(5). An unreadable table counts as an empty one: the caller then reports what is missing.
fn cgroup_mounts() -> Vec<CgroupMount> {
    let Ok(table) = fs::File::open("/proc/self/mountinfo") else { return Vec::new() };
    let parse = |line: String| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let kind = after.next().filter(|kind| kind.starts_with("cgroup"))?.to_owned();
        let options = after.nth(1)?.to_owned();
        let mut before = before.split(' ').skip(3);
        let (root, point) = (before.next()?.to_owned(), PathBuf::from(before.next()?));
        Some(CgroupMount { root, point, kind, options })
    };
    BufReader::new(table).lines().map_while(std::result::Result::ok).filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_hierarchies_with_directories() {
        let Ok(host) = Host::detect() else { return eprintln!("skipped: no cgroup hierarchy is mounted") };
        for hierarchy in &host.hierarchies {
            assert!(hierarchy.dir("/").is_dir(), "{hierarchy:?}");
            assert_eq!(hierarchy.version == Version::V2, hierarchy.controllers.is_empty(), "{hierarchy:?}");
        }
        assert!(host.hierarchies.iter().filter(|hierarchy| hierarchy.version == Version::V2).count() <= 1);
    }

    #[test]
    fn a_line_finds_its_mount_by_all_its_controllers() {
        let line = Line::parse("4:cpu,cpuacct:/x:y").unwrap();
        assert_eq!((line.version(), line.path), (Version::V1, "/x:y"));
        let mount = |options: &str| {
            let (root, point, kind) = ("/".into(), "/m".into(), "cgroup".into());
            CgroupMount { root, point, kind, options: options.into() }
        };
        assert_eq!(line.mounted(&mount("rw,cpu,cpuacct")), Some("/m".into()));
        assert_eq!(line.mounted(&mount("rw,cpu")), None);
    }
}
