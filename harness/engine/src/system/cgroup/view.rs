//! A view of the cgroups of the host that shows only version 1, for runtimes that refuse a hybrid host.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::hierarchies;
use crate::system::proc::files::about;
use crate::system::proc::mountinfo::{self, Mount};
use crate::system::saved_mounts;

const TOP: &str = "/sys/fs/cgroup";

/// Where the view is put together before it moves to [`TOP`]: a directory that each host has, and in which this process
/// looks for nothing meanwhile. So no directory must be made, and none is left.
const STAGING: &str = "/sys/kernel";

/// Replaces `/sys/fs/cgroup` by a directory that shows the hierarchies of version 1 alone. Changes the mount namespace
/// of the calling process, which must be its own and must not propagate to another.
///
/// # Errors
/// When there are none, when a mount would propagate, or when the kernel refuses.
pub fn show_v1_only() -> io::Result<()> {
    refuse_shared(&saved_mounts::mounts()?)?;
    let shown = v1_mounts()?;
    let links = links()?;
    let none: Option<&str> = None;
    mount(Some("cgroup"), STAGING, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=755"))?;
    for source in &shown {
        let target = Path::new(STAGING).join(source.strip_prefix(TOP).unwrap_or(source));
        fs::create_dir_all(&target)?;
        mount(Some(source), &target, none, MsFlags::MS_BIND, none)
            .map_err(|why| about(source.display(), &why.into()))?;
    }
    for (name, target) in links {
        symlink(target, Path::new(STAGING).join(name))?;
    }
    detach_top()?;
    mount(Some(STAGING), TOP, none, MsFlags::MS_MOVE, none).map_err(|why| about(TOP, &why.into()))
}

/// The kernel would show to others, the host for one, what is mounted on a shared mount.
fn refuse_shared(mounts: &[Mount]) -> io::Result<()> {
    let touched = |mount: &&Mount| {
        [TOP, STAGING].iter().any(|path| Path::new(path).starts_with(&mount.point)) || is_in_top(mount)
    };
    let shared = |mount: &&Mount| mount.tags.iter().any(|tag| tag.starts_with("shared:"));
    match mounts.iter().filter(touched).find(shared) {
        Some(mount) => Err(io::Error::other(format!("the mount at {} is shared with other namespaces", mount.point))),
        None => Ok(()),
    }
}

fn is_in_top(mount: &Mount) -> bool {
    Path::new(&mount.point).starts_with(TOP)
}

fn v1_mounts() -> io::Result<Vec<PathBuf>> {
    let v1 = hierarchies()?.into_iter().filter(|hierarchy| !hierarchy.v2).map(|hierarchy| hierarchy.mount);
    let found: Vec<PathBuf> = v1.filter(|point| point.starts_with(TOP) && point != Path::new(TOP)).collect();
    if found.is_empty() {
        return Err(io::Error::other(format!("no hierarchy of cgroup v1 is mounted below {TOP}")));
    }
    Ok(found)
}

/// The names that distributions keep beside a mount of several controllers: `cpu` leads to `cpu,cpuacct`.
fn links() -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(TOP)? {
        let entry = entry?;
        if entry.file_type()?.is_symlink() {
            found.push((entry.file_name().into(), fs::read_link(entry.path())?));
        }
    }
    Ok(found)
}

/// Detaches all that is mounted at or below the top, so that no list of mounts tells of version 2 any more.
fn detach_top() -> io::Result<()> {
    loop {
        let mounts = saved_mounts::mounts()?;
        let within = mounts.iter().filter(|mount| is_in_top(mount) && mountinfo::is_visible(&mounts, mount));
        // The uppermost takes with it what is mounted below it.
        let Some(upper) = within.min_by_key(|mount| mount.point.len()) else { return Ok(()) };
        umount2(upper.point.as_str(), MntFlags::MNT_DETACH).map_err(|why| about(&upper.point, &why.into()))?;
    }
}
