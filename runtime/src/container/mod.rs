//! What is known of a container between two calls of the runtime: a directory of its own, and what follows from it.

mod directory;
mod record;
mod state;
mod status;

pub use directory::{Directory, Lock, list};
pub use record::{Record, start_time};
pub use state::State;
pub use status::Status;

use std::os::fd::OwnedFd;

use crate::cgroup::{self, Cgroup, Host, Site};
use crate::config::Config;
use crate::error::{Context, Error, Result};

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
    pub fn find(root: &std::path::Path, id: &str) -> Result<Self> {
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
        let path = self.directory.site();
        let doing = || format!("read `{}`", path.display());
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.doing(doing)?,
        };
        let site: Site = serde_json::from_slice(&text).doing(doing)?;
        cgroup::open(&site, &Host::detect()?).map(Some)
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

    /// A descriptor for the container's first process, if that very process is still there.
    ///
    /// # Errors
    /// When the kernel refuses for another reason than that the process is gone.
    pub fn pidfd(&self) -> Result<Option<OwnedFd>> {
        self.record.as_ref().map_or(Ok(None), Record::pidfd).doing(|| "open the container's process".into())
    }
}
