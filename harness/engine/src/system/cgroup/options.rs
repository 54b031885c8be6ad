//! The options of cgroup version 2, such as `nsdelegate`. All its mounts share one set, and whoever mounts it anew from the
//! host's cgroup namespace sets that. Kernel documentation: `admin-guide/cgroup-v2.rst`, Mounting.

use std::io;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::system::saved_mounts;

/// Makes a border of each cgroup namespace, as systemd does.
pub const NSDELEGATE: &str = "nsdelegate";

/// The options that are in force, but for `rw`; `None` without a mount of version 2.
///
/// # Errors
/// When the mounts cannot be read.
pub fn options() -> io::Result<Option<Vec<String>>> {
    let mounts = saved_mounts::mounts()?;
    let found = mounts.into_iter().find(|mount| mount.kind == "cgroup2");
    Ok(found.map(|mount| mount.super_options.into_iter().filter(|option| option != "rw").collect()))
}

/// Sets them for the whole host, by a mount at `place`, an empty directory, that is taken down again.
///
/// # Errors
/// When the kernel refuses.
pub fn set_options(place: &Path, options: &[String]) -> io::Result<()> {
    mount(Some("cgroup2"), place, Some("cgroup2"), MsFlags::empty(), Some(options.join(",").as_str()))?;
    Ok(umount2(place, MntFlags::empty())?)
}
