//! mount_setattr(2).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::checked;

/// What to change about a mount, or about it and all mounts below.
#[derive(Debug, Default, Clone, Copy)]
pub struct MountAttr<'fd> {
    /// `MOUNT_ATTR_…` to set.
    pub set: u64,
    /// `MOUNT_ATTR_…` to clear, before the others are set.
    pub clear: u64,
    /// `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE` or `MS_UNBINDABLE`; 0 changes nothing.
    pub propagation: u64,
    /// The user namespace whose maps the mount gets; needs `MOUNT_ATTR_IDMAP` in `set`.
    pub user_namespace: Option<BorrowedFd<'fd>>,
    /// Whether mounts below are changed too.
    pub recursive: bool,
}

/// `mount_setattr(2)` on the mount that `mount` refers to.
///
/// # Errors
/// As mount_setattr(2).
pub fn mount_setattr(mount: BorrowedFd<'_>, attr: &MountAttr<'_>) -> io::Result<()> {
    let raw = libc::mount_attr {
        attr_set: attr.set,
        attr_clr: attr.clear,
        propagation: attr.propagation,
        userns_fd: attr.user_namespace.map_or(0, |fd| fd.as_raw_fd() as u64),
    };
    let flags = libc::AT_EMPTY_PATH | if attr.recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty string that ends in NUL; the structure outlives the call and its size is given.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const raw,
            size_of::<libc::mount_attr>(),
        )
    })
    .map(drop)
}
