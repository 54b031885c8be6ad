//! `resume`: the processes of a paused container go on.

use std::path::Path;

use super::confined;
use crate::error::{Error, Result};

/// Thaws a container.
///
/// # Errors
/// When it is not paused.
pub fn resume(root: &Path, id: &str) -> Result<()> {
    let (container, cgroup) = confined(root, id)?;
    // A container that was paused before `start` is created, by its status, and frozen.
    if !cgroup.is_frozen()? {
        return Err(Error::new(format!("container `{id}` is {}, not paused", container.status().name())));
    }
    cgroup.freeze(false)
}
