//! `mounts`. Specification: `config.md`, Mounts. What the options mean is in `rootfs::options`.

use std::path::PathBuf;

use serde::Deserialize;

use super::linux::IdMapping;

/// One entry of `mounts`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// Where, in the container; a relative one is taken from `/`.
    pub destination: PathBuf,
    /// File system type; without meaning for bind mounts.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Device, name or, for bind mounts, the path: absolute, or relative to the bundle.
    pub source: Option<String>,
    /// Options as in mount(8), and data of the file system.
    #[serde(default)]
    pub options: Vec<String>,
    /// User ids of an id-mapped mount.
    #[serde(default)]
    pub uid_mappings: Vec<IdMapping>,
    /// Group ids of an id-mapped mount.
    #[serde(default)]
    pub gid_mappings: Vec<IdMapping>,
}
