//! `config.json`: its shape, and what is checked before anything is made.
//!
//! The types are our own and hold what the runtime acts on, nothing else: no default that a configuration did not ask
//! for, no second name for a member. Unknown members are ignored, as the specification demands.
//! Specification: `config.md`, `config-linux.md`.

mod hooks;
mod linux;
mod mounts;
mod null;
mod object;
mod process;
mod require;
mod resources;
mod seccomp;
mod validate;

pub use hooks::{Hook, HookKind, Hooks};
pub use linux::{
    ClockOffset, Device, DeviceKind, IdMapping, IntelRdt, Linux, MemoryPolicy, Namespace, NamespaceKind, NetDevice,
    Personality, PersonalityDomain, Propagation,
};
pub use mounts::Mount;
pub use process::{Capabilities, ConsoleSize, ExecCpuAffinity, IoPriority, Process, Rlimit, Scheduler, User};
pub use resources::{
    BlockIo, Cpu, DeviceClass, DeviceRule, HugepageLimit, InterfacePriority, Memory, Network, Pids, Rdma, Resources,
    Throttle, WeightDevice,
};
pub use seccomp::{Action, Arch, Argument, Flag, Operator, Seccomp, SyscallRule};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Context, Error, Result};

/// The newest release of the specification that this runtime follows.
pub const OCI_VERSION: &str = "1.3.0";

/// The oldest release whose configurations are accepted.
pub const OCI_VERSION_MIN: &str = "1.0.0";

/// A parsed and validated `config.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Release of the specification that the configuration was written for.
    pub oci_version: String,
    /// The root filesystem; required on Linux.
    #[serde(deserialize_with = "object::object")]
    pub root: Root,
    /// Mounts, made in this order.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// The program; may be absent until `start`.
    #[serde(default, deserialize_with = "object::optional")]
    pub process: Option<Process>,
    /// Host name in the container's uts namespace.
    pub hostname: Option<String>,
    /// NIS domain name in the container's uts namespace.
    pub domainname: Option<String>,
    /// Hooks of the six kinds.
    #[serde(default, deserialize_with = "object::object")]
    pub hooks: Hooks,
    /// Arbitrary metadata, repeated in the state.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// What is particular to Linux.
    #[serde(default, deserialize_with = "object::object")]
    pub linux: Linux,
}

/// `root`.
#[derive(Debug, Clone, Deserialize)]
pub struct Root {
    /// Directory of the root filesystem: absolute, or relative to the bundle.
    pub path: PathBuf,
    /// Whether `/` is read-only in the container.
    #[serde(default)]
    pub readonly: bool,
}

impl Config {
    /// Reads and checks `config.json` at `path`, and returns it with the text it was read from.
    ///
    /// # Errors
    /// When the file cannot be read, is no JSON, or holds an invalid value: the error names the JSON path.
    pub fn load(path: &Path) -> Result<(Self, String)> {
        let text = std::fs::read(path).doing(|| format!("read `{}`", path.display()))?;
        let text = String::from_utf8(text).doing(|| format!("read `{}`", path.display()))?;
        let config = Self::parse(&text).doing(|| format!("`{}`", path.display()))?;
        Ok((config, text))
    }

    /// Parses and checks the text of a `config.json`.
    ///
    /// # Errors
    /// When it is no JSON, or holds an invalid value: the error names the JSON path.
    pub fn parse(text: &str) -> Result<Self> {
        let mut config: Self = parse(text)?;
        config.linux.resources.unset_no_memory();
        if release(&config.oci_version) < Some((1, 3)) {
            config.linux.resources.take_no_pids_for_unlimited();
        }
        validate::config(&config)?;
        Ok(config)
    }
}

/// Major and minor number of a version.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

impl Process {
    /// Parses and checks the text of a process document, the argument of `exec --process`.
    ///
    /// # Errors
    /// When it is no JSON, or holds an invalid value: the error names the JSON path.
    pub fn parse(text: &str) -> Result<Self> {
        let process: Self = parse(text)?;
        validate::process(&process, "process")?;
        Ok(process)
    }
}

/// Parses quickly, and where that fails once more without the members that are null, which are absent. Only an error pays for
/// knowing its JSON path.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).or_else(|_| {
        let text = &null::without(text).map_err(|error| Error::new(error.to_string()))?;
        serde_json::from_str(text).map_err(|quick| with_path::<T>(text, &quick))
    })
}

fn with_path<T: DeserializeOwned>(text: &str, quick: &serde_json::Error) -> Error {
    let mut careful = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, T>(&mut careful) {
        Err(error) if error.path().iter().len() > 0 => Error::new(format!("{}: {}", error.path(), error.inner())),
        _ => Error::new(quick.to_string()),
    }
}
