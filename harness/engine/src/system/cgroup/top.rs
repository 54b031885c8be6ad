//! The tmpfs in which hosts with version 1 mount their hierarchies. All processes of the host share it, so each check gets a copy.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, mkdirat, symlinkat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen};

/// A tmpfs, not yet mounted anywhere, with the directories and links of the one at `top`; directories are empty.
///
/// # Errors
/// When `top` cannot be listed or the kernel refuses the tmpfs.
pub(super) fn alike(top: &Path) -> io::Result<OwnedFd> {
    let made = tmpfs()?;
    for entry in fs::read_dir(top)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            mkdirat(&made, entry.file_name(), Mode::from_raw_mode(0o755))?;
        } else if kind.is_symlink() {
            symlinkat(fs::read_link(entry.path())?, &made, entry.file_name())?;
        }
    }
    Ok(made)
}

fn tmpfs() -> io::Result<OwnedFd> {
    let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, c"mode", c"755")?;
    fsconfig_set_string(&context, c"size", c"1m")?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}
