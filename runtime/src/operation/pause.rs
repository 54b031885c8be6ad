//! `pause`: all processes of a container stop where they are.

use std::path::Path;

use super::confined;
use crate::container::Status;
use crate::error::{Error, Result};

/// Freezes a container, and returns when its processes have stopped.
///
/// # Errors
/// When it does not run, is paused already, or does not freeze.
pub fn pause(root: &Path, id: &str) -> Result<()> {
    let (container, cgroup) = confined(root, id)?;
    match container.status() {
        Status::Created | Status::Running => cgroup.freeze(true),
        other @ (Status::Creating | Status::Paused | Status::Stopped) => {
            Err(Error::new(format!("container `{id}` is {}, not running", other.name())))
        }
    }
}
