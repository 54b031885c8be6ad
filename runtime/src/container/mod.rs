//! What is known of a container between two calls of the runtime: a directory of its own, and what follows from it.

mod directory;
mod record;
mod state;
mod status;

pub use directory::{Directory, Lock, list};
pub use record::{Record, start_time};
pub use state::{Origin, State};
pub use status::Status;

use std::os::fd::OwnedFd;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::cgroup::{self, Cgroup, Host, Site};
use crate::config::Config;
use crate::error::{Context, Error, Result};
use crate::resctrl::Groups;

/// A container that exists: its directory, and its record once it was created.
#[derive(Debug)]
pub struct Container {
    /// The container's directory below `--root`.
    pub directory: Directory,
    /// Absent while `create` is at work, or for ever when it was killed in the middle.
    pub record: Option<Record>,
}

impl Container {
    /// Finds the container `id` below `root`.
    ///
    /// # Errors
    /// When there is none, or its record cannot be read.
    pub fn find(root: &Path, id: &str) -> Result<Self> {
        let directory = Directory::open(root, id)?;
        let record = Record::load(&directory)?;
        Ok(Self { directory, record })
    }

    /// The configuration that the container was created from, whatever became of the bundle since.
    ///
    /// # Errors
    /// When the copy cannot be read.
    pub fn config(&self) -> Result<Config> {
        Config::load(&self.directory.config()).map(|(config, _)| config)
    }

    /// The container's cgroup; nothing when the runtime was killed before it came to make one.
    ///
    /// # Errors
    /// When the note of where it is cannot be read.
    pub fn cgroup(&self) -> Result<Option<Box<dyn Cgroup>>> {
        let site: Option<Site> = self.note(&self.directory.site())?;
        site.map(|site| cgroup::open(&site, &Host::detect()?)).transpose()
    }

    /// The container's groups of resctrl, if it has some.
    ///
    /// # Errors
    /// When the note of where they are cannot be read.
    pub fn resctrl(&self) -> Result<Option<Groups>> {
        self.note(&self.directory.resctrl())
    }

    fn note<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>> {
        let doing = || format!("read `{}`", path.display());
        match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            text => serde_json::from_slice(&text.doing(doing)?).map(Some).doing(doing),
        }
    }

    /// What state the container is in, as the kernel tells.
    pub fn status(&self) -> Status {
        Status::of(self)
    }

    /// The record, or the error that the container is not created yet.
    ///
    /// # Errors
    /// When there is no record.
    pub fn record(&self) -> Result<&Record> {
        self.record.as_ref().ok_or_else(|| {
            Error::new(format!(
                "container `{}` is not created completely; delete --force removes it",
                self.directory.id
            ))
        })
    }

    /// A descriptor for the container's init process, if that very process is still there.
    ///
    /// # Errors
    /// When the kernel refuses for another reason than that the process is gone.
    pub fn pidfd(&self) -> Result<Option<OwnedFd>> {
        self.record.as_ref().map_or(Ok(None), Record::pidfd).doing(|| "open the container's process".into())
    }
}
