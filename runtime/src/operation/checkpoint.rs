//! `checkpoint`: a running container is written to files, by criu.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::delete;
use crate::cgroup::{Cgroup, Mounts};
use crate::container::{Container, Directory, Status};
use crate::criu::{self, Criu, Options, Streams, Task};
use crate::error::{Context, Error, Result};
use crate::init;
use crate::sys::CloneArgs;

/// How much is written, and who is told.
#[derive(Debug, Default)]
pub struct Extent {
    /// Memory alone, so that the checkpoint proper takes less time.
    pub pre_dump: bool,
    /// Is written to when memory can be fetched.
    pub status: Option<File>,
}

/// Writes a container to files. Unless it goes on, it is deleted then.
///
/// # Errors
/// When it does not run, criu is not installed, or criu fails: the container goes on then.
pub fn checkpoint(root: &Path, id: &str, options: &Options, extent: &Extent) -> Result<()> {
    let lock = Directory::open(root, id)?.lock()?;
    let container = Container::find(root, id)?;
    match container.status() {
        Status::Running | Status::Paused => {}
        other @ (Status::Creating | Status::Created | Status::Stopped) => {
            return Err(Error::new(format!("container `{id}` is {}, not running", other.name())));
        }
    }
    dump(&container, options, extent)?;
    if !extent.pre_dump && !options.leave_running {
        delete::destroy(&container)?;
    }
    drop(lock);
    Ok(())
}

fn dump(container: &Container, options: &Options, extent: &Extent) -> Result<()> {
    let config = container.config()?;
    let record = container.record()?;
    let cgroup = container.cgroup()?.ok_or_else(|| Error::new("the container has no cgroup"))?;
    let directories = options.open(true, "dump.log")?;
    let mut message = options.message(&config, &directories);
    options.dump(&mut message)?;
    let root_path = record.bundle.join(&config.root.path);
    message.integer(2, u64::from(record.pid.unsigned_abs())).text(13, root_path.as_os_str().as_encoded_bytes());
    if let Some(freezer) = freezer(&*cgroup) {
        message.text(44, freezer.as_os_str().as_encoded_bytes());
    }
    criu::dump_namespaces(&config, record.pid, &mut message)?;
    if !extent.pre_dump {
        let root = criu::root_of(record.pid)?;
        for external in criu::external(&config, &record.bundle, &*cgroup)? {
            external.dump(&root, &mut message)?;
        }
        Streams::of(record.pid).save(&options.image_path)?;
    }
    let task = if extent.pre_dump { Task::PreDump } else { Task::Dump };
    let criu = Criu::start(CloneArgs::default(), &[], || init::die_with_runtime().map(|()| Vec::new()))?;
    let dumped = criu.ask(task, &message, &mut |notice| {
        let Some(mut status) = extent.status.as_ref().filter(|_| notice.script == "status-ready") else {
            return Ok(());
        };
        status.write_all(b"\0").doing(|| "write to --status-fd".into())
    });
    dumped.map(drop).map_err(|error| directories.explain(&error))
}

/// The directory by which the container can be frozen; without one criu stops each process by itself.
fn freezer(cgroup: &dyn Cgroup) -> Option<PathBuf> {
    if !cgroup.is_own() {
        return None;
    }
    match cgroup.mounts() {
        Mounts::Unified(path) => Some(path),
        Mounts::Legacy { binds, .. } => binds.into_iter().find(|bind| bind.name == "freezer").map(|bind| bind.source),
    }
}
