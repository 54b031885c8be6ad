//! Masked and read-only paths. Specification: `config-linux.md`, Masked Paths, Readonly Paths.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use super::beneath::{Root, is_directory};
use super::detached::{attach, clone_node, clone_opened, is_character_device, new_tmpfs};
use super::options::attr;
use crate::error::{Context, Error, Result};
use crate::sys::{self, MountAttr};

/// What hides a path: the host's null device over files, an empty read-only directory over directories. Each is made
/// once, and cloned for each further path.
#[derive(Debug)]
pub struct Masks {
    null: OwnedFd,
    null_is_attached: bool,
    directory: Option<OwnedFd>,
}

impl Masks {
    /// Takes the null device of the host, which must be visible still: one that an image holds could be anything.
    ///
    /// # Errors
    /// When `/dev/null` is not the null device.
    pub fn new() -> Result<Self> {
        let null = clone_node(Path::new("/dev/null"))?;
        if !is_character_device(null.as_fd(), 1, 3)? {
            return Err(Error::new("`/dev/null` of the host is not the null device"));
        }
        Ok(Self { null, null_is_attached: false, directory: None })
    }

    /// Hides what is at `path` in the container; what does not exist needs no hiding.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn mask(&mut self, root: &Root, path: &Path) -> Result<()> {
        let masking = || format!("mask `{}`", path.display());
        let Some(place) = root.open_existing(path).doing(masking)? else { return Ok(()) };
        let directory = is_directory(place.as_fd()).doing(masking)?;
        if directory { self.cover_directory(place.as_fd()) } else { self.cover_file(place.as_fd()) }.doing(masking)
    }

    fn cover_file(&mut self, place: BorrowedFd<'_>) -> Result<()> {
        if self.null_is_attached {
            return attach(clone_opened(self.null.as_fd(), true)?.as_fd(), place);
        }
        self.null_is_attached = true;
        attach(self.null.as_fd(), place)
    }

    fn cover_directory(&mut self, place: BorrowedFd<'_>) -> Result<()> {
        if let Some(directory) = &self.directory {
            return attach(clone_opened(directory.as_fd(), true)?.as_fd(), place);
        }
        let directory = empty_directory()?;
        attach(directory.as_fd(), place)?;
        self.directory = Some(directory);
        Ok(())
    }
}

fn empty_directory() -> Result<OwnedFd> {
    let attributes = attr::RDONLY | attr::NOSUID | attr::NODEV | attr::NOEXEC;
    new_tmpfs(&[("nr_blocks", "1"), ("nr_inodes", "1")], attributes)
}

/// Makes the paths read-only, with all mounts below them: each is covered by a read-only clone of itself.
///
/// # Errors
/// When the kernel refuses. What does not exist is passed over.
pub fn make_read_only(root: &Root, paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        let doing = || format!("make `{}` read-only", path.display());
        if let Some(place) = root.open_existing(path).doing(doing)? {
            cover_read_only(place.as_fd()).doing(doing)?;
        }
    }
    Ok(())
}

fn cover_read_only(place: BorrowedFd<'_>) -> Result<()> {
    let clone = clone_opened(place, true)?;
    set_read_only(clone.as_fd(), true)?;
    attach(clone.as_fd(), place)
}

/// Makes one mount read-only, or all of a tree.
///
/// # Errors
/// As mount_setattr(2).
pub fn set_read_only(mount: BorrowedFd<'_>, recursive: bool) -> Result<()> {
    sys::mount_setattr(mount, &MountAttr { set: attr::RDONLY, recursive, ..MountAttr::default() })
        .doing(|| "make a mount read-only".into())
}
