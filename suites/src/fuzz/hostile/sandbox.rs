//! Protects the host from a runtime that falls for a malicious configuration: in the mount namespace of the check everything is read-only
//! but the directory of the run, `/proc` and the cgroups, and these are those of the check.

use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use plimsoll_engine::saved_mounts;

/// Enters it, for good.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn enter(place: &Path) -> io::Result<()> {
    let place = place.to_string_lossy().into_owned();
    let none = None::<&str>;
    for seen in saved_mounts::mounts()? {
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
