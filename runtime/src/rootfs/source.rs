//! The source of a bind mount, cloned beforehand where the init process could not do it itself.

use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use super::beneath::Root;
use super::detached::clone_opened;
use super::options::attr;
use crate::error::{Context, Error, Result};
use crate::sys::{self, MountAttr};

/// What is known of a source before the init process is created.
#[derive(Debug)]
pub struct Source {
    /// A detached clone of it, as the host sees it; nothing when it does not exist yet.
    pub tree: Option<OwnedFd>,
    /// Its path in the container, when it is below the root file system: an earlier entry may have mounted something there.
    pub inside: Option<PathBuf>,
    /// Whether the mounts below it come along.
    pub recursive: bool,
    /// The translation of its owners.
    pub id_map: Option<IdMap>,
}

/// A translation of owners.
#[derive(Debug)]
pub struct IdMap {
    /// The user namespace whose maps are used.
    pub namespace: OwnedFd,
    /// Whether the mounts below have it, too.
    pub recursive: bool,
}

impl Source {
    /// The tree to mount: what an earlier entry has put in the place of the source, else the clone.
    ///
    /// # Errors
    /// When there is neither, or it cannot be cloned or translated.
    pub fn tree(self, root: &Root) -> Result<OwnedFd> {
        let place = self.inside.as_ref().map_or(Ok(None), |path| root.open_existing(path))?;
        match (place, self.tree) {
            (Some(place), Some(tree)) if is_same(place.as_fd(), tree.as_fd())? => Ok(tree),
            (Some(place), _) => {
                let tree = clone_opened(place.as_fd(), self.recursive)?;
                self.id_map.map_or(Ok(()), |map| map.apply(tree.as_fd()))?;
                Ok(tree)
            }
            (None, Some(tree)) => Ok(tree),
            (None, None) => Err(Error::new("its source does not exist")),
        }
    }
}

impl IdMap {
    /// Has a detached tree translated.
    ///
    /// # Errors
    /// As mount_setattr(2).
    pub fn apply(&self, tree: BorrowedFd<'_>) -> Result<()> {
        let namespace = Some(self.namespace.as_fd());
        let recursive = self.recursive;
        sys::mount_setattr(
            tree,
            &MountAttr { set: attr::IDMAP, user_namespace: namespace, recursive, ..MountAttr::default() },
        )
        .doing(|| "map its ids".into())
    }
}

/// The path in the container of what lies at `path` of the host, when that is below one of the `roots`.
pub fn below(path: &Path, roots: [&Path; 2]) -> Option<PathBuf> {
    let inside = roots.iter().find_map(|root| path.strip_prefix(root).ok())?;
    // What a step upwards leads to depends on links.
    let leads_up = inside.components().any(|part| part == Component::ParentDir);
    (!leads_up).then(|| inside.to_owned())
}

/// Whether nothing is there, which an earlier entry may still make.
pub fn is_missing(error: &Error) -> bool {
    let kind = error.errno().map(|number| std::io::Error::from_raw_os_error(number).kind());
    matches!(kind, Some(ErrorKind::NotFound | ErrorKind::NotADirectory))
}

fn is_same(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> Result<bool> {
    let look = |fd| rustix::fs::fstat(fd).doing(|| "look at the source".into());
    let (one, other) = (look(one)?, look(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_inside_only_when_no_step_can_lead_out() {
        let below = |path: &str| below(Path::new(path), [Path::new("/b/rootfs"), Path::new("/real")]);
        assert_eq!(below("/b/rootfs/a"), Some("a".into()));
        assert_eq!(below("/real/a/b"), Some("a/b".into()));
        assert_eq!(below("/b/data"), None);
        assert_eq!(below("/b/rootfs/../data"), None);
    }
}
