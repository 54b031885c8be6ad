//! The state document. Specification: `runtime.md`, State.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Status;
use crate::config::OCI_VERSION;

/// What `state` prints, hooks read from their standard input, and seccomp listeners receive.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    oci_version: &'static str,
    /// The container's id.
    pub id: String,
    /// Its status at this moment.
    pub status: Status,
    /// Its init process, as numbered for the reader; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// The bundle: an absolute path.
    pub bundle: PathBuf,
    /// The configuration's annotations.
    pub annotations: BTreeMap<String, String>,
    /// What only `state` tells, beyond the specification.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Where a container comes from, as runc tells it.
#[derive(Debug, Clone, Serialize)]
pub struct Origin {
    /// The directory of the root file system on the host.
    pub rootfs: PathBuf,
    /// When it was created.
    pub created: String,
    /// The name of the user who created it, or the number of one without a name.
    pub owner: String,
}

impl State {
    /// The state of a container.
    pub fn new(
        id: &str,
        status: Status,
        pid: Option<i32>,
        bundle: &Path,
        annotations: &BTreeMap<String, String>,
    ) -> Self {
        Self {
            oci_version: OCI_VERSION,
            id: id.to_owned(),
            status,
            pid,
            bundle: bundle.to_owned(),
            annotations: annotations.clone(),
            origin: None,
        }
    }
}
