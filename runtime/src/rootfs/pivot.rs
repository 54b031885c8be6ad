//! The way of the container's root to `/`. Specification: `config-linux.md`, Rootfs Mount Propagation; pivot_root(2).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::UnmountFlags;

use super::beneath::Root;
use super::detached::{attach, clone_tree};
use crate::config::Propagation;
use crate::error::{Context, Error, Result};
use crate::sys::{self, MountAttr};

impl Propagation {
    /// The `MS_…` flag.
    fn flag(self) -> u64 {
        match self {
            Self::Shared => libc::MS_SHARED,
            Self::Slave => libc::MS_SLAVE,
            Self::Private => libc::MS_PRIVATE,
            Self::Unbindable => libc::MS_UNBINDABLE,
        }
    }

    /// What all mounts of the host become in the container's mount namespace, before anything is mounted there; with
    /// nothing said, mounts of the host show up in the container and not the other way round.
    pub fn of_inherited(chosen: Option<Self>) -> Option<u64> {
        match chosen {
            Some(Self::Shared) => None,
            Some(Self::Private | Self::Unbindable) => Some(libc::MS_PRIVATE),
            Some(Self::Slave) | None => Some(libc::MS_SLAVE),
        }
    }
}

/// Cuts or turns the propagation of everything that the new mount namespace inherited.
///
/// # Errors
/// As mount_setattr(2).
pub fn separate(chosen: Option<Propagation>) -> Result<()> {
    let Some(propagation) = Propagation::of_inherited(chosen) else { return Ok(()) };
    propagate(open_path(Path::new("/"))?.as_fd(), propagation, true)
}

/// Attaches the root file system over its own directory, so that it is a mount and can become `/`. `tree` is the
/// detached clone of it, when it had to be made beforehand.
///
/// # Errors
/// When the directory is none, or the kernel refuses.
pub fn attach_root(path: &Path, tree: Option<OwnedFd>, chosen: Option<Propagation>) -> Result<Root> {
    if chosen == Some(Propagation::Shared) {
        keep_from_host(path)?;
    }
    let tree = match tree {
        Some(tree) => tree,
        None => clone_tree(path, true)?,
    };
    if chosen == Some(Propagation::Shared) {
        propagate(tree.as_fd(), libc::MS_SLAVE, true)?;
    }
    // In a user namespace the way to the directory may be closed; the place does not matter then.
    let place = match open_path(path) {
        Err(error) if error.errno() == Some(libc::EACCES) => open_path(Path::new("/"))?,
        place => place?,
    };
    attach(tree.as_fd(), place.as_fd())?;
    Ok(Root::new(tree))
}

/// Makes the mount that holds `path` private, so that attaching the root does not reach the host.
fn keep_from_host(path: &Path) -> Result<()> {
    for directory in path.ancestors() {
        match propagate(open_path(directory)?.as_fd(), libc::MS_PRIVATE, false) {
            // The directory is not where a mount begins.
            Err(error) if error.errno() == Some(libc::EINVAL) => {}
            done => return done,
        }
    }
    Err(Error::new(format!("no mount holds `{}`", path.display())))
}

/// Makes the container's root the root of the mount namespace, and lets go of the old one. pivot_root(2).
///
/// # Errors
/// As pivot_root(2); `EINVAL` when the old root is an initramfs.
pub fn pivot(root: &Root) -> Result<()> {
    let former = open_path(Path::new("/"))?;
    rustix::process::fchdir(root).doing(|| "enter it".into())?;
    rustix::process::pivot_root(".", ".").doing(|| "call pivot_root".into())?;
    // The old root now lies over the new one at the same place. What happens to it is not for the host to see.
    propagate(former.as_fd(), libc::MS_SLAVE, true)?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).doing(|| "unmount the old root".into())?;
    rustix::process::chdir("/").doing(|| "enter `/`".into())
}

/// Moves the container's root over `/` and changes into it: for a host whose root is an initramfs (`--no-pivot`).
///
/// # Errors
/// As move_mount(2) and chroot(2).
pub fn move_over(root: &Root) -> Result<()> {
    rustix::process::fchdir(root).doing(|| "enter it".into())?;
    rustix::mount::mount_move(".", "/").doing(|| "move it over `/`".into())?;
    change_root(root)
}

/// Makes `root` the root of this process alone: without a mount namespace of its own there is nothing to pivot.
///
/// # Errors
/// As chroot(2).
pub fn change_root(root: &Root) -> Result<()> {
    rustix::process::fchdir(root).doing(|| "enter it".into())?;
    rustix::process::chroot(".").doing(|| "change the root".into())?;
    rustix::process::chdir("/").doing(|| "enter `/`".into())
}

/// Gives `/` of the container the propagation that was asked for.
///
/// # Errors
/// As mount_setattr(2).
pub fn propagate_root(root: &Root, chosen: Option<Propagation>) -> Result<()> {
    chosen.map_or(Ok(()), |chosen| propagate(root.as_fd(), chosen.flag(), false))
}

/// Sets the propagation of a mount, or of a tree.
///
/// # Errors
/// As mount_setattr(2).
pub fn propagate(mount: BorrowedFd<'_>, propagation: u64, recursive: bool) -> Result<()> {
    sys::mount_setattr(mount, &MountAttr { propagation, recursive, ..MountAttr::default() })
        .doing(|| "set the propagation of a mount".into())
}

fn open_path(path: &Path) -> Result<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .doing(|| format!("open `{}`", path.display()))
}
