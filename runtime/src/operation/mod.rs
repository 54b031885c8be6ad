//! The operations, one a file; each reads like its section of the specification's `runtime.md`.

pub mod checkpoint;
pub mod create;
pub mod delete;
pub mod events;
pub mod exec;
pub mod features;
pub mod kill;
pub mod list;
pub mod pause;
pub mod ps;
pub mod restore;
pub mod resume;
pub mod run;
pub mod spec;
pub mod start;
pub mod state;
pub mod update;

use std::path::Path;

use crate::cgroup::Cgroup;
use crate::container::Container;
use crate::error::{Error, Result};

/// A container that is created, and its cgroup.
fn confined(root: &Path, id: &str) -> Result<(Container, Box<dyn Cgroup>)> {
    let container = Container::find(root, id)?;
    container.record()?;
    let cgroup = container.cgroup()?.ok_or_else(|| Error::new(format!("container `{id}` has no cgroup")))?;
    Ok((container, cgroup))
}
