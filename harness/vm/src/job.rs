//! The job of a machine, written by the host and read by process 1 inside.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::environment::{Cgroups, Lsm};

/// Where the job lies in the initial root filesystem.
pub const JOB: &str = "/.plimsoll/job.json";
/// Where the modules lie there.
pub const MODULES: &str = "/.plimsoll/modules";
/// The directory of both, removed once they are used.
pub const DIRECTORY: &str = "/.plimsoll";
/// Where this binary lies there.
pub const PROGRAM: &str = "/usr/bin/plimsoll";

/// What the machine is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The arguments of `plimsoll`.
    pub arguments: Vec<String>,
    /// The directory to run it in: that of the user, so that relative paths mean the same.
    pub directory: PathBuf,
    /// The whole environment of the command.
    pub variables: Vec<(String, String)>,
    /// Which control groups to mount.
    pub cgroups: Cgroups,
    /// Which security module to give a policy to.
    pub lsm: Lsm,
    /// Files and directories to bring back as far as the command has made them; absolute.
    pub returns: Vec<PathBuf>,
    /// The modules to load, in order: names of files in [`MODULES`].
    pub modules: Vec<String>,
}
