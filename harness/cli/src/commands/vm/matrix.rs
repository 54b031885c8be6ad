//! The machines to run: every combination of the options, or those of a file.

use std::path::{Path, PathBuf};

use plimsoll_foreign::read;
use plimsoll_vm::environment::{Cgroups, Lsm};
use plimsoll_vm::kernel::Kernel;
use serde::Deserialize;

use crate::args::Vm;
use crate::shared::failure::Failure;

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineConfig {
    /// What it boots.
    pub kernel: Kernel,
    /// Which control groups it mounts.
    pub cgroups: Cgroups,
    /// Which security module is active.
    pub lsm: Lsm,
}

impl MachineConfig {
    /// Its name: `6.1.0-50-cloud-amd64 v2 selinux`.
    #[must_use]
    pub fn name(&self) -> String {
        let lsm = if self.lsm == Lsm::None { String::new() } else { format!(" {}", self.lsm) };
        format!("{} {}{lsm}", self.kernel.release, self.cgroups)
    }

    /// The security modules that it would list, as far as they are known from outside.
    #[must_use]
    pub fn security_modules(&self) -> Vec<String> {
        if self.lsm == Lsm::None { Vec::new() } else { vec![self.lsm.to_string()] }
    }
}

/// A file of machines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    machine: Vec<Row>,
}

/// A machine as a file describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// A kernel as of `--kernel`, relative to the file.
    kernel: Option<PathBuf>,
    #[serde(default = "default_cgroups")]
    cgroup: Cgroups,
    #[serde(default = "default_lsm")]
    lsm: Lsm,
}

fn default_cgroups() -> Cgroups {
    Cgroups::V2
}

fn default_lsm() -> Lsm {
    Lsm::None
}

/// The machines, each once, in the order in which they were asked for.
pub fn wanted(args: &Vm) -> Result<Vec<MachineConfig>, Failure> {
    let mut machines = Vec::new();
    for row in rows(args)? {
        let machine = MachineConfig { kernel: Kernel::find(row.kernel.as_deref())?, cgroups: row.cgroup, lsm: row.lsm };
        if !machines.contains(&machine) {
            machines.push(machine);
        }
    }
    Ok(machines)
}

fn rows(args: &Vm) -> Result<Vec<Row>, Failure> {
    if let Some(path) = &args.matrix {
        return read(path);
    }
    let kernels = some(args.kernel.iter().cloned().map(Some).collect(), None);
    let cgroups = some(args.cgroup.clone(), default_cgroups());
    let lsms = some(args.lsm.clone(), default_lsm());
    let mut rows = Vec::new();
    for kernel in &kernels {
        for cgroup in &cgroups {
            rows.extend(lsms.iter().map(|lsm| Row { kernel: kernel.clone(), cgroup: *cgroup, lsm: *lsm }));
        }
    }
    Ok(rows)
}

fn some<T>(given: Vec<T>, default: T) -> Vec<T> {
    if given.is_empty() { vec![default] } else { given }
}

fn read(path: &Path) -> Result<Vec<Row>, Failure> {
    let usage = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
    let text = read::given(path, read::SETTINGS).map_err(|why| usage(why.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|why| usage(why.to_string().trim().replace('\n', " ")))?;
    if file.machine.is_empty() {
        return Err(usage("it has no [[machine]] table".to_owned()));
    }
    let beside = path.parent().unwrap_or(Path::new(""));
    let rows = file.machine.into_iter().map(|row| Row { kernel: row.kernel.map(|kernel| beside.join(kernel)), ..row });
    Ok(rows.collect())
}
