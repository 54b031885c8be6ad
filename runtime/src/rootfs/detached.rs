//! Mounts that are attached nowhere: made, cloned, and attached at an opened place. fsopen(2), open_tree(2),
//! move_mount(2).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};

use super::options::attr;
use crate::error::{Context, Result};
use crate::sys::{self, MountAttr};

/// A new tmpfs, attached nowhere, with its options and `MOUNT_ATTR_…`.
///
/// # Errors
/// As fsopen(2) and its kin.
pub fn new_tmpfs(options: &[(&str, &str)], attributes: u64) -> Result<OwnedFd> {
    let making = || "make a tmpfs".to_owned();
    let context = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC).doing(making)?;
    for (key, value) in options {
        rustix::mount::fsconfig_set_string(&context, *key, *value).doing(making)?;
    }
    rustix::mount::fsconfig_create(&context).doing(making)?;
    let attributes = MountAttrFlags::from_bits_retain(u32::try_from(attributes).doing(making)?);
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).doing(making)
}

/// Clones the mount at `path`, with those below it if `recursive`, as a tree that is attached nowhere.
///
/// # Errors
/// As open_tree(2).
pub fn clone_tree(path: &Path, recursive: bool) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(CWD, path, flags).doing(|| format!("open `{}`", path.display()))
}

/// As [`clone_tree`], of a device of the host, which can be used there, and not changed: the owner of a node or who has CAP_FOWNER could
/// give that of the host another mode.
///
/// # Errors
/// As [`clone_tree`] and mount_setattr(2).
pub fn clone_node(path: &Path) -> Result<OwnedFd> {
    let node = clone_tree(path, false)?;
    let set = attr::RDONLY | attr::NOSUID | attr::NOEXEC;
    sys::mount_setattr(node.as_fd(), &MountAttr { set, ..MountAttr::default() })
        .doing(|| format!("make the mount of `{}` read-only", path.display()))?;
    Ok(node)
}

/// Clones what `fd` refers to, with the mounts below it if `recursive`, as a tree that is attached nowhere.
///
/// # Errors
/// As open_tree(2).
pub fn clone_opened(fd: BorrowedFd<'_>, recursive: bool) -> Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    rustix::mount::open_tree(fd, "", flags).doing(|| "clone a mount".into())
}

/// Attaches a detached mount to the opened place.
///
/// # Errors
/// As move_mount(2).
pub fn attach(mount: BorrowedFd<'_>, place: BorrowedFd<'_>) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, "", place, "", flags).doing(|| "attach it".into())
}

/// Attaches a detached mount to the entry `name` of an opened directory, which holds nothing that others have made.
///
/// # Errors
/// As move_mount(2).
pub fn attach_at(mount: BorrowedFd<'_>, directory: BorrowedFd<'_>, name: &str) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    rustix::mount::move_mount(mount, "", directory, name, flags).doing(|| "attach it".into())
}

/// Whether `fd` is the character device `major`:`minor`.
///
/// # Errors
/// As fstat(2).
pub fn is_character_device(fd: BorrowedFd<'_>, major: u32, minor: u32) -> Result<bool> {
    let stat = rustix::fs::fstat(fd).doing(|| "look at a device".into())?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    Ok(kind == FileType::CharacterDevice && stat.st_rdev == rustix::fs::makedev(major, minor))
}
