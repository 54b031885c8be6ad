//! `update`: other limits for a container that exists.

use std::fs;
use std::path::Path;

use super::confined;
use crate::config::Resources;
use crate::container::{Container, Status};
use crate::error::{Context, Error, Result};

/// Lines for the resctrl group of the container. Kernel documentation: `arch/x86/resctrl.rst`.
#[derive(Debug, Default)]
pub struct Schemata {
    /// Cache.
    pub l3_cache: Option<String>,
    /// Memory bandwidth.
    pub memory_bandwidth: Option<String>,
}

/// Reads the document with the limits to change: what it does not mention stays. Device rules in it are passed over, as
/// in other runtimes, whose callers hand them on unchanged.
///
/// # Errors
/// When it cannot be read, or is no such document.
pub fn read(from: &Path) -> Result<Resources> {
    let doing = || format!("read the resources from `{}`", from.display());
    let text =
        if from == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { fs::read_to_string(from) };
    let mut resources: Resources = serde_json::from_str(&text.doing(doing)?).doing(doing)?;
    resources.unset_no_memory();
    Ok(resources)
}

/// Changes the limits of a container that is created, running or paused.
///
/// # Errors
/// When a value is invalid, or the kernel refuses it; those written before it hold then.
pub fn update(root: &Path, id: &str, resources: &Resources, schemata: &Schemata) -> Result<()> {
    resources.validate("resources")?;
    let (container, cgroup) = confined(root, id)?;
    match container.status() {
        Status::Created | Status::Running | Status::Paused => {}
        other @ (Status::Creating | Status::Stopped) => {
            return Err(Error::new(format!("container `{id}` is {}, not running", other.name())));
        }
    }
    cgroup.apply(resources)?;
    let lines = [&schemata.l3_cache, &schemata.memory_bandwidth];
    lines.into_iter().flatten().try_for_each(|line| allocate(&container, line))
}

fn allocate(container: &Container, line: &str) -> Result<()> {
    let rdt = container.config()?.linux.intel_rdt;
    let class = rdt.and_then(|rdt| rdt.clos_id).unwrap_or_else(|| container.directory.id.clone());
    let file = Path::new("/sys/fs/resctrl").join(class.trim_start_matches('/')).join("schemata");
    fs::write(&file, format!("{line}\n")).doing(|| format!("write `{line}` to `{}`", file.display()))
}
