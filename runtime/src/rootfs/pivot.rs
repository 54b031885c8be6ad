//! The way of the container's root to `/`. Specification: `config-linux.md`, Rootfs Mount Propagation; pivot_root(2).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;

use super::beneath::Root;
use super::detached::{attach, clone_tree, new_tmpfs};
use crate::config::Propagation;
use crate::error::{Context, Error, Result};
use crate::procfs;
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

/// Moves the container's root over `/` and changes into it: for a host whose root is an initramfs (`--no-pivot`). `proc` is the
/// host's procfs, `at` the path of the root.
///
/// # Errors
/// As move_mount(2) and chroot(2).
pub fn move_over(root: &Root, proc: BorrowedFd<'_>, at: &Path) -> Result<()> {
    hide_kernel_filesystems(proc, at)?;
    rustix::process::fchdir(root).doing(|| "enter it".into())?;
    rustix::mount::mount_move(".", "/").doing(|| "move it over `/`".into())?;
    change_root(root)
}

/// The mounts of the host stay in the mount namespace, below the root. Where one of procfs or sysfs has nothing over it, the kernel
/// lets a user namespace mount another such one, which would show what is masked in the container.
fn hide_kernel_filesystems(proc: BorrowedFd<'_>, root: &Path) -> Result<()> {
    let mut covered = Vec::new();
    for mount in procfs::whole_mounts(proc, &["proc", "sysfs"])? {
        // Several may lie over each other at one place.
        if mount.starts_with(root) || covered.contains(&mount) {
            continue;
        }
        let place = match open_path(&mount) {
            // What hides the place hides the mount.
            Err(error) if error.errno() == Some(libc::ENOENT) => continue,
            place => place?,
        };
        propagate(place.as_fd(), libc::MS_SLAVE, true).or_else(unless_no_mount)?;
        match rustix::mount::unmount(&mount, UnmountFlags::DETACH) {
            // In a user namespace it is locked; another mount over it does as well.
            Err(Errno::INVAL | Errno::PERM) => {
                attach(new_tmpfs(&[], 0)?.as_fd(), place.as_fd())?;
                covered.push(mount);
            }
            unmounted => unmounted.doing(|| format!("unmount `{}`", mount.display()))?,
        }
    }
    Ok(())
}

/// Another mount may lie over the place by now.
fn unless_no_mount(error: Error) -> Result<()> {
    if error.errno() == Some(libc::EINVAL) { Ok(()) } else { Err(error) }
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
