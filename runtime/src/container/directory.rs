//! `<root>/<id>`: making this directory is the test that an id is free.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};

use crate::error::{Context, Error, Result};

/// The directory of one container.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The container's id.
    pub id: String,
    /// `<root>/<id>`.
    pub path: PathBuf,
}

/// Held while an operation changes the container; gone with the process that holds it.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the descriptor")] OwnedFd);

impl Directory {
    /// Makes the directory of a new container and locks it.
    ///
    /// # Errors
    /// When the id is not one, or taken.
    pub fn make(root: &Path, id: &str) -> Result<(Self, Lock)> {
        let directory = Self::named(root, id)?;
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700);
        let made = match builder.create(&directory.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                builder.recursive(true).create(root).doing(|| format!("make `{}`", root.display()))?;
                builder.recursive(false).create(&directory.path)
            }
            made => made,
        };
        match made {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Error::new(format!("container `{id}` exists already")))
            }
            made => {
                made.doing(|| format!("make `{}`", directory.path.display()))?;
                let lock = directory.lock()?;
                Ok((directory, lock))
            }
        }
    }

    /// Finds the directory of an existing container.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(root: &Path, id: &str) -> Result<Self> {
        let directory = Self::named(root, id)?;
        if directory.path.is_dir() {
            return Ok(directory);
        }
        Err(Error::new(format!("container `{id}` does not exist")))
    }

    fn named(root: &Path, id: &str) -> Result<Self> {
        check_id(id)?;
        Ok(Self { id: id.to_owned(), path: root.join(id) })
    }

    /// Waits until no other operation changes the container.
    ///
    /// # Errors
    /// When the directory is gone.
    pub fn lock(&self) -> Result<Lock> {
        let doing = || format!("lock container `{}`", self.id);
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        loop {
            let fd = rustix::fs::open(&self.path, flags, Mode::empty()).doing(doing)?;
            rustix::fs::flock(&fd, FlockOperation::LockExclusive).doing(doing)?;
            let locked = rustix::fs::fstat(&fd).doing(doing)?;
            let named = rustix::fs::stat(&self.path).doing(doing)?;
            // While this waited, the container may have been deleted, and another one made under its id.
            if locked.st_ino == named.st_ino {
                return Ok(Lock(fd));
            }
        }
    }

    /// Writes a file of the directory, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path, content: &[u8]) -> Result<()> {
        self.stage(path, content)?;
        self.publish(path)
    }

    /// Writes a file of the directory that nobody finds before [`Directory::publish`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn stage(&self, path: &Path, content: &[u8]) -> Result<()> {
        fs::write(path.with_extension("partial"), content).doing(|| format!("write `{}`", path.display()))
    }

    /// Gives a staged file its name.
    ///
    /// # Errors
    /// When it was not staged.
    pub fn publish(&self, path: &Path) -> Result<()> {
        fs::rename(path.with_extension("partial"), path).doing(|| format!("publish `{}`", path.display()))
    }

    /// The copy of `config.json` that the container was created from.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.json")
    }

    /// Where the container's cgroup is, written before it is made.
    pub fn site(&self) -> PathBuf {
        self.path.join("cgroup.json")
    }

    /// Where the container's groups of resctrl are, written before they are made.
    pub fn resctrl(&self) -> PathBuf {
        self.path.join("resctrl.json")
    }

    /// What [`super::Record`] holds.
    pub fn record(&self) -> PathBuf {
        self.path.join("record.json")
    }

    /// The socket at which the container's init process waits for `start`.
    pub fn start_socket(&self) -> PathBuf {
        self.path.join("start.sock")
    }

    /// Removes the directory and frees the id.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> Result<()> {
        // By their names it goes faster than by a listing.
        for known in [self.site(), self.config(), self.record(), self.start_socket(), self.resctrl()] {
            drop(fs::remove_file(known));
        }
        let removed = match fs::remove_dir(&self.path) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => fs::remove_dir_all(&self.path),
            removed => removed,
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).doing(|| format!("remove `{}`", self.path.display()))
            }
            _ => Ok(()),
        }
    }
}

/// The ids of all containers below `root`, sorted.
///
/// # Errors
/// When the directory exists and cannot be read.
pub fn list(root: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.doing(|| format!("list `{}`", root.display()))?,
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut ids: Vec<_> = names.filter(|name| check_id(name).is_ok()).collect();
    ids.sort();
    Ok(ids)
}

/// An id is a file name of harmless letters, so that it can be one in the state directory and in cgroups.
fn check_id(id: &str) -> Result<()> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
    let harmless = !id.is_empty() && id.len() <= 255 && id != "." && id != ".." && id.bytes().all(letters);
    if harmless {
        return Ok(());
    }
    let shown: String = id.chars().take(64).collect();
    Err(Error::new(format!(
        "{shown:?} is no container id: 1 to 255 letters, digits and `_+-.` are, `.` and `..` are not"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_plain_file_name() {
        for id in ["a", "A-b_c.d+1", "..a"] {
            assert!(check_id(id).is_ok(), "{id}");
        }
        for id in ["", ".", "..", "a/b", "a\n", "ä", &"x".repeat(256)] {
            assert!(check_id(id).is_err(), "{id}");
        }
    }

    #[test]
    fn an_id_can_be_taken_once() {
        let root = tempfile::tempdir().unwrap();
        let (directory, lock) = Directory::make(root.path(), "one").unwrap();
        assert!(Directory::make(root.path(), "one").is_err());
        assert_eq!(list(root.path()).unwrap(), ["one"]);
        drop(lock);
        directory.remove().unwrap();
        assert!(Directory::open(root.path(), "one").is_err());
    }
}
