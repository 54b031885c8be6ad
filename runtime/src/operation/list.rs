//! `list`: all containers below `--root`.

use std::path::Path;

use serde::Serialize;

use super::state::origin;
use crate::container::{self, Container, Origin, Status};
use crate::error::{Context, Result};
use crate::log;

/// How the list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for people.
    Table,
    /// A JSON array.
    Json,
}

/// One container. The members are those of runc.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    oci_version: &'static str,
    id: String,
    pid: i32,
    status: Status,
    bundle: String,
    #[serde(flatten)]
    origin: Origin,
}

/// The list as text. With `quiet` it holds the ids alone.
///
/// # Errors
/// When the state directory cannot be read.
pub fn list(root: &Path, format: Format, quiet: bool) -> Result<String> {
    let ids = container::list(root)?;
    if quiet {
        return Ok(ids.iter().map(|id| format!("{id}\n")).collect());
    }
    let lines: Vec<_> = ids.iter().filter_map(|id| line(root, id)).collect();
    match format {
        Format::Json => serde_json::to_string(&lines).map(|text| text + "\n").doing(|| "write the list".into()),
        Format::Table => Ok(table(&lines)),
    }
}

/// A container that is deleted meanwhile is passed over.
fn line(root: &Path, id: &str) -> Option<Line> {
    let container = Container::find(root, id).inspect_err(|error| log::debug(&error.to_string())).ok()?;
    let status = container.status();
    let config = container.config().inspect_err(|error| log::debug(&error.to_string())).ok()?;
    let record = container.record?;
    Some(Line {
        oci_version: crate::config::OCI_VERSION,
        id: id.to_owned(),
        pid: if status == Status::Stopped { 0 } else { record.pid },
        status,
        bundle: record.bundle.display().to_string(),
        origin: origin(&record, &config),
    })
}

fn table(lines: &[Line]) -> String {
    let wide = lines.iter().map(|line| line.id.len()).max().unwrap_or(0).max(10);
    let bundle = lines.iter().map(|line| line.bundle.len()).max().unwrap_or(0).max(6);
    let row = |id: &str, pid: &str, status: &str, place: &str, created: &str, owner: &str| {
        format!("{id:wide$}  {pid:8}  {status:8}  {place:bundle$}  {created:20}  {owner}\n")
    };
    let rows = lines.iter().map(|line| {
        let Origin { created, owner, .. } = &line.origin;
        row(&line.id, &line.pid.to_string(), line.status.name(), &line.bundle, created, owner)
    });
    [row("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")].into_iter().chain(rows).collect()
}
