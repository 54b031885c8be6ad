//! `state`: what the container is and does at this moment.

use std::path::Path;

use crate::container::{Container, State, Status};
use crate::error::{Context, Result};

/// The state document of a container, as JSON.
///
/// # Errors
/// When there is no such container.
pub fn state(root: &Path, id: &str) -> Result<String> {
    let state = state_of(&Container::find(root, id)?)?;
    serde_json::to_string_pretty(&state).doing(|| "write the state".into())
}

/// The state document of a container.
///
/// # Errors
/// When the copy of its configuration cannot be read.
pub fn state_of(container: &Container) -> Result<State> {
    let status = container.status();
    let config = container.config()?;
    let record = container.record.as_ref();
    let pid = record.filter(|_| status != Status::Stopped).map(|record| record.pid);
    let bundle = record.map_or(Path::new("/"), |record| &record.bundle);
    Ok(State::new(&container.directory.id, status, pid, bundle, &config.annotations))
}
