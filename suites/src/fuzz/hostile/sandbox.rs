//! Keeps a runtime that falls for a hostile configuration from harming the host: in the mount namespace of the check
//! everything but the place of the run, `/proc` and the control groups can only be read, and for paths of control groups
//! `/` of each hierarchy is a group of the check's own.

use std::fs;
use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use plimsoll_engine::observer::mountinfo;
use plimsoll_foreign::read;

/// Enters it, for good.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn enter(place: &Path) -> io::Result<()> {
    let place = place.to_string_lossy().into_owned();
    let none = None::<&str>;
    for seen in mountinfo::own()? {
        let point = seen.point.as_str();
        let exempt = ["/proc", "/sys/fs/cgroup", place.as_str()];
        let within = |top: &str| point == top || point.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'));
        if exempt.into_iter().any(within) {
            continue;
        }
        let kept = seen.options.iter().filter_map(|option| flag(option)).fold(MsFlags::empty(), |all, flag| all | flag);
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | kept;
        match mount(none, point, none, flags, none) {
            // Something else may be mounted over it, or it is gone.
            Ok(()) | Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOENT) => {}
            Err(why) => return Err(io::Error::other(format!("make {point} read-only: {why}"))),
        }
    }
    Ok(())
}

/// Flags that a remount would clear if it did not name them.
fn flag(option: &str) -> Option<MsFlags> {
    Some(match option {
        "nosuid" => MsFlags::MS_NOSUID,
        "nodev" => MsFlags::MS_NODEV,
        "noexec" => MsFlags::MS_NOEXEC,
        "noatime" => MsFlags::MS_NOATIME,
        "nodiratime" => MsFlags::MS_NODIRATIME,
        "relatime" => MsFlags::MS_RELATIME,
        _ => return None,
    })
}

/// Makes a group of this name in each hierarchy, and shows it as the root of the hierarchy.
///
/// # Errors
/// When a group cannot be made.
pub(super) fn hide_cgroups(group: &str) -> io::Result<()> {
    let groups = mountinfo::own()?.into_iter().filter(|mount| mount.kind == "cgroup" || mount.kind == "cgroup2");
    for root in groups.map(|mount| mount.point) {
        let top = Path::new(&root).join(group);
        fs::create_dir_all(&top)?;
        // A new group of this controller takes nobody in before it has processors and memory.
        for name in ["cpuset.cpus", "cpuset.mems"] {
            let Ok(value) = read::kernel_bytes(Path::new(&root).join(name)) else { continue };
            top.parent().map_or(Ok(()), |parent| fs::write(parent.join(name), &value))?;
            fs::write(top.join(name), &value)?;
        }
        mount(Some(&top), root.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    }
    Ok(())
}
