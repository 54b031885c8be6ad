//! `state`: what the container is and does at this moment.

use std::path::Path;

use crate::config::Config;
use crate::container::{Container, Origin, Record, State, Status};
use crate::error::{Context, Result};
use crate::log;

/// The state document of a container, as JSON.
///
/// # Errors
/// When there is no such container, or the copy of its configuration cannot be read.
pub fn state(root: &Path, id: &str) -> Result<String> {
    let container = Container::find(root, id)?;
    let status = container.status();
    let config = container.config()?;
    let record = container.record.as_ref();
    let pid = record.filter(|_| status != Status::Stopped).map(|record| record.pid);
    let bundle = record.map_or(Path::new("/"), |record| &record.bundle);
    let mut state = State::new(&container.directory.id, status, pid, bundle, &config.annotations);
    state.origin = record.map(|record| origin(record, &config));
    serde_json::to_string_pretty(&state).doing(|| "write the state".into())
}

/// Where a container comes from.
pub fn origin(record: &Record, config: &Config) -> Origin {
    Origin {
        rootfs: record.bundle.join(&config.root.path),
        created: log::rfc3339(record.created),
        owner: owner(record.owner),
    }
}

/// The name of a user of the host, or `#` and the number.
fn owner(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = fields.find(|fields| fields.len() > 2 && fields[2].parse() == Ok(uid));
    found.map_or_else(|| format!("#{uid}"), |fields| fields[0].to_owned())
}
