//! Handing a cgroup to the container's owner. Specification: `config-linux.md#cgroup-ownership`.

use std::fs;

use rustix::fs::{AtFlags, CWD, chownat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::group::Group;
use crate::error::{Context, Result};

/// Where newer kernels list the files that a cgroup can be delegated by.
const LIST: &str = "/sys/kernel/cgroup/delegate";

/// What it contains at least, and all of it in older kernels. cgroups(7).
const FALLBACK: &str = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";

/// Changes the owner of the directory and of the files in the list, as far as they exist: a listed file belongs to a
/// controller that may not be enabled here. All other files keep their owner, since they are the container's limits.
pub(super) fn change(group: &Group, uid: Uid, gid: Gid) -> Result<()> {
    let listed = fs::read_to_string(LIST).unwrap_or_else(|_| FALLBACK.to_owned());
    let files = listed.lines().map(|name| group.file(name));
    for path in std::iter::once(group.dir.clone()).chain(files) {
        match chownat(CWD, &path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {}
            changed => changed.doing(|| format!("change the owner of `{}`", path.display()))?,
        }
    }
    Ok(())
}
