//! Where the container's cgroup is: `linux.cgroupsPath`, made into a path or a systemd unit.
//!
//! Specification: `config-linux.md#cgroups-path`. A place depends on nothing but the configuration, the manager and,
//! for a rootless runtime, the cgroup that it was started in; so the same value leads to the same place each time.

use std::path::Path;

use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};

use super::host::Host;
use crate::error::{Error, Result};
use crate::procfs::in_user_namespace;

/// Who makes and keeps the cgroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// This runtime, by making directories.
    Cgroupfs,
    /// systemd, as a transient unit below a slice.
    Systemd {
        /// The slice, such as `system.slice`.
        slice: String,
        /// The scope, such as `docker-4711.scope`.
        unit: String,
        /// Whether it is the user's own systemd instead of the system's.
        user: bool,
    },
    /// Nobody: a rootless runtime without delegation leaves the container in its own cgroup.
    Absent,
}

/// The place of a container's cgroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Who keeps it.
    pub manager: Manager,
    /// Its path from the mount point of each hierarchy; starts with `/`.
    pub path: String,
}

/// What the place is chosen by.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Id of the container.
    pub id: &'a str,
    /// `linux.cgroupsPath`.
    pub cgroups_path: Option<&'a str>,
    /// `--systemd-cgroup`.
    pub systemd: bool,
    /// Whether the caller is not root. Root of a user namespace may have as few rights, which is found out.
    pub rootless: bool,
}

impl Place {
    /// Chooses the place.
    ///
    /// # Errors
    /// When `cgroupsPath` is not of the form that the manager takes: a path without `.` and `..`, or
    /// `slice:prefix:name` for systemd.
    pub fn choose(request: Request<'_>, host: &Host) -> Result<Self> {
        let root_is_ours = host.hierarchies.first().is_none_or(|hierarchy| is_writable(&hierarchy.mount));
        let request = Request { rootless: request.rootless || !root_is_ours && in_user_namespace(), ..request };
        let place = if request.systemd { systemd(request, host) } else { cgroupfs(request, host) }?;
        let delegated = !request.rootless || request.systemd || is_delegated(&place, host);
        Ok(if delegated { place } else { Self { manager: Manager::Absent, ..place } })
    }
}

/// Whether a rootless runtime may make its cgroup: only version 2 can be delegated safely, and it is by its owner.
fn is_delegated(place: &Place, host: &Host) -> bool {
    let dir = host.unified().map(|unified| unified.dir(&place.path));
    let above = dir.as_deref().and_then(|dir| dir.ancestors().find(|above| above.exists()));
    host.legacy().next().is_none() && above.is_some_and(is_writable)
}

fn is_writable(dir: &Path) -> bool {
    access(dir, Access::WRITE_OK).is_ok()
}

/// Longest path from the mount point of a hierarchy, in bytes: with that point and the name of a file in the group it must
/// be shorter than `PATH_MAX`, 4096.
const LONGEST: usize = 3800;

/// Longest name of a directory, in bytes (`NAME_MAX`).
const LONGEST_NAME: usize = 255;

fn cgroupfs(request: Request<'_>, host: &Host) -> Result<Place> {
    let default = format!("plimsoll-{}", request.id);
    let given = request.cgroups_path.filter(|path| !path.is_empty()).unwrap_or(&default);
    let parts: Vec<_> = given.split('/').filter(|part| !part.is_empty()).collect();
    let unfit = parts.is_empty() || parts.iter().any(|part| matches!(*part, "." | "..") || part.contains('\0'));
    if unfit {
        return Err(refusal(given, "must be a path below the root of the hierarchy, without `.` and `..`"));
    }
    if given.len() > LONGEST || parts.iter().any(|part| part.len() > LONGEST_NAME) {
        // The kernel would refuse the innermost directories, with those above already made.
        return Err(Error::new(format!("linux.cgroupsPath: {} bytes are longer than a path can be", given.len())));
    }
    let base = if given.starts_with('/') { "" } else { relative_base(request.rootless, host) };
    Ok(Place { manager: Manager::Cgroupfs, path: format!("{base}/{}", parts.join("/")) })
}

/// A relative path is below the root, or for a rootless runtime below the cgroup that was delegated to it: its own.
fn relative_base(rootless: bool, host: &Host) -> &str {
    let own = host.unified().filter(|_| rootless).map_or("", |unified| unified.own.as_str());
    own.trim_end_matches('/')
}

fn systemd(request: Request<'_>, host: &Host) -> Result<Place> {
    let default = format!(":plimsoll:{}", request.id);
    let given = request.cgroups_path.filter(|path| !path.is_empty()).unwrap_or(&default);
    let parts: Vec<_> = given.split(':').collect();
    let [slice, prefix, name] = parts[..] else {
        return Err(refusal(given, "must have the form slice:prefix:name with --systemd-cgroup"));
    };
    let usual = if request.rootless { "user.slice" } else { "system.slice" };
    let slice = if slice.is_empty() { usual } else { slice };
    let unit = match (prefix, name) {
        (_, name) if name.ends_with(".slice") => name.to_owned(),
        ("", name) => format!("{name}.scope"),
        (prefix, name) => format!("{prefix}-{name}.scope"),
    };
    let path = slice_path(slice).filter(|_| !name.is_empty() && !unit.contains('/'));
    let path = path.ok_or_else(|| refusal(given, "names no slice such as system.slice, or no name"))?;
    let base = if request.rootless { user_manager(host) } else { "" };
    let path = format!("{base}{path}/{unit}");
    Ok(Place { manager: Manager::Systemd { slice: slice.to_owned(), unit, user: request.rootless }, path })
}

/// The cgroup of the user's own systemd, which everything of the user's session is below.
fn user_manager(host: &Host) -> &str {
    let own = host.unified().or_else(|| host.legacy().find(|hierarchy| hierarchy.has("name=systemd")));
    let own = own.map_or("", |hierarchy| hierarchy.own.as_str());
    let service = own.find("/user@").map_or(0, |at| at + 1);
    let end = own[service..].find('/').map_or(own.len(), |length| service + length);
    if service == 0 { "" } else { &own[..end] }
}

fn refusal(given: &str, reason: &str) -> Error {
    Error::new(format!("linux.cgroupsPath: `{given}` {reason}"))
}

/// The path of a slice: `a-b.slice` is below `a.slice`, and `-.slice` is the root. systemd.slice(5).
fn slice_path(slice: &str) -> Option<String> {
    let name = slice.strip_suffix(".slice").filter(|name| !name.contains('/'))?;
    if name == "-" {
        return Some(String::new());
    }
    let parts: Vec<_> = name.split('-').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    Some((1..=parts.len()).map(|count| format!("/{}.slice", parts[..count].join("-"))).collect())
}

#[cfg(test)]
mod tests {
    use super::super::host::{Hierarchy, Version};
    use super::*;

    fn choose(cgroups_path: Option<&str>, systemd: bool) -> Result<Place> {
        let host = Host { hierarchies: Vec::new() };
        Place::choose(Request { id: "c1", cgroups_path, systemd, rootless: false }, &host)
    }

    #[test]
    fn paths_are_below_the_mount_point() {
        for (given, path) in [
            (None, "/plimsoll-c1"),
            (Some("/ct/test"), "/ct/test"),
            (Some("ct//test/"), "/ct/test"),
            (Some("a:b:c"), "/a:b:c"),
        ] {
            assert_eq!(choose(given, false).unwrap().path, path, "{given:?}");
        }
        for given in ["/", "..", "/a/../b", "a/./b", &"x".repeat(256), &"a/".repeat(2048)] {
            assert!(choose(Some(given), false).is_err(), "{given}");
        }
    }

    #[test]
    fn without_delegation_there_is_no_cgroup() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("own")).unwrap();
        let own = |path: &str| Hierarchy {
            mount: dir.path().into(),
            version: Version::V2,
            controllers: Vec::new(),
            own: path.into(),
        };
        let choose = |hierarchies| {
            let request = Request { id: "c1", cgroups_path: None, systemd: false, rootless: true };
            Place::choose(request, &Host { hierarchies }).unwrap()
        };
        let place = choose(vec![own("/own")]);
        assert_eq!((place.manager, place.path.as_str()), (Manager::Cgroupfs, "/own/plimsoll-c1"));
        let legacy = Hierarchy { version: Version::V1, controllers: vec!["cpu".into()], ..own("/own") };
        assert_eq!(choose(vec![own("/own"), legacy]).manager, Manager::Absent);
    }

    #[test]
    fn a_users_systemd_is_found_above() {
        let own = "/user.slice/user-7.slice/user@7.service/app.slice/x.scope".to_owned();
        let unified = Hierarchy { mount: "/m".into(), version: Version::V2, controllers: Vec::new(), own };
        let host = Host { hierarchies: vec![unified] };
        assert_eq!(user_manager(&host), "/user.slice/user-7.slice/user@7.service");
    }

    #[test]
    fn systemd_units_are_below_their_slices() {
        for (given, path) in [
            (None, "/system.slice/plimsoll-c1.scope"),
            (Some("machine.slice:docker:4711"), "/machine.slice/docker-4711.scope"),
            (Some("a-b-c.slice::x"), "/a.slice/a-b.slice/a-b-c.slice/x.scope"),
            (Some("-.slice:p:n"), "/p-n.scope"),
            (Some("user.slice:p:n.slice"), "/user.slice/n.slice"),
        ] {
            assert_eq!(choose(given, true).unwrap().path, path, "{given:?}");
        }
        for given in ["/ct/test", "a:b", "a:b:c", "x--y.slice:p:n", "a/b.slice:p:n", "a.slice:p:", "a.slice:p:x/y"] {
            assert!(choose(Some(given), true).is_err(), "{given}");
        }
    }
}
