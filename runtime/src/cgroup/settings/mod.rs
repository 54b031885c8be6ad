//! `linux.resources` as files and values: what is written where, for each controller and both versions.
//!
//! All values are computed before the first is written, so that what cannot be expressed changes nothing.
//! Specification: `config-linux.md`, from `#memory` to `#unified`. Kernel documentation: `admin-guide/cgroup-v1/`,
//! `admin-guide/cgroup-v2.rst`.

mod blkio;
mod convert;
mod cpu;
mod memory;
mod others;

pub(super) use convert::weight_of_shares;

use super::group::Group;
use super::host::Version;
use super::tree::Tree;
use crate::config::Resources;
use crate::error::{Error, Result};

/// A file of the cgroup and what is written to it.
type Setting = (String, String);

/// Reads a file of the cgroup; nothing when there is no such file.
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What a controller is to be told, given the resources and a look at the present values.
type Section = fn(&Resources, Read<'_>) -> Result<Vec<Setting>>;

/// A controller by its name in version 1, and how it is told in each version.
struct Controller {
    name: &'static str,
    v1: Section,
    v2: Section,
}

const CONTROLLERS: &[Controller] = &[
    Controller { name: "cpuset", v1: cpu::set, v2: cpu::set },
    Controller { name: "cpu", v1: cpu::v1, v2: cpu::v2 },
    Controller { name: "memory", v1: memory::v1, v2: memory::v2 },
    Controller { name: "blkio", v1: blkio::v1, v2: blkio::v2 },
    Controller { name: "hugetlb", v1: others::hugetlb_v1, v2: others::hugetlb_v2 },
    Controller { name: "pids", v1: others::pids, v2: others::pids },
    Controller { name: "rdma", v1: others::rdma, v2: others::rdma },
    Controller { name: "net_cls", v1: others::net_cls, v2: others::no_net_cls },
    Controller { name: "net_prio", v1: others::net_prio, v2: others::no_net_prio },
];

/// Writes all limits.
pub(super) fn apply(resources: &Resources, tree: &Tree) -> Result<()> {
    let mut wanted = Vec::new();
    for controller in CONTROLLERS {
        let home = home(controller.name, tree);
        let section = if home.version == Version::V1 { controller.v1 } else { controller.v2 };
        let read = |file: &str| home.group?.read_if_there(file);
        for setting in section(resources, &read)? {
            let group = home.group.ok_or_else(|| absent(controller.name))?;
            wanted.push((group, setting));
        }
    }
    for (key, value) in &resources.unified {
        let group = tree.unified().ok_or_else(|| {
            Error::new(format!("linux.resources.unified.{key}: this host has no cgroup version 2 hierarchy"))
        })?;
        wanted.extend(value.lines().map(|line| (group, (key.clone(), line.to_owned()))));
    }
    wanted.iter().try_for_each(|(group, (file, value))| write(group, file, value))
}

/// Where a controller is told.
struct Home<'a> {
    version: Version,
    group: Option<&'a Group>,
}

/// A controller that no version 1 hierarchy has belongs to version 2. A host without that hierarchy has it nowhere, and
/// on a hybrid host what only version 1 has is merely not mounted.
fn home<'a>(controller: &str, tree: &'a Tree) -> Home<'a> {
    let legacy_only = matches!(controller, "net_cls" | "net_prio");
    match (tree.legacy(controller), tree.unified()) {
        (Some(group), _) => Home { version: Version::V1, group: Some(group) },
        (None, Some(_)) if legacy_only && tree.is_hybrid() => Home { version: Version::V1, group: None },
        (None, Some(group)) => Home { version: Version::V2, group: Some(group) },
        (None, None) => Home { version: Version::V1, group: None },
    }
}

fn absent(controller: &str) -> Error {
    Error::new(format!("linux.resources: no mounted cgroup hierarchy has the controller `{controller}`"))
}

/// A setting that this version has no counterpart for.
fn no_counterpart(member: &str) -> Error {
    Error::new(format!("linux.resources.{member}: cgroup version 2 has no counterpart"))
}

fn write(group: &Group, file: &str, value: &str) -> Result<()> {
    group.write(file, value).map_err(|error| match error.errno() {
        Some(libc::ENOENT) => Error::new(format!(
            "linux.resources: `{}` has no file `{file}`: its controller is not enabled, or this kernel does not have it",
            group.dir.display()
        )),
        _ => error,
    })
}
