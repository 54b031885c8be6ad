//! The options of `plimsoll vm`.

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use plimsoll_vm::environment::{Cgroups, Lsm};

use crate::commands::vm::context::MEMORY;

pub(super) const HELP: &str = "Needs qemu-system-x86_64 and a kernel image, but not root. Exit codes: that of the command; 2 if a machine \
does not answer. With several machines: the first of 4, 2, 1, 0 that occurs, or 3 if all exit with 3.";

/// Parses one of these words.
fn words<T: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static>(
    words: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// Run a command in a virtual machine.
#[derive(Debug, Args)]
pub struct Vm {
    /// The kernel: an image, or the directory of an unpacked kernel package [default: the newest readable kernel of this
    /// host]. This option, --cgroup and --lsm can be given several times: every combination is run.
    #[arg(long, value_name = "FILE|DIR")]
    pub kernel: Vec<PathBuf>,
    /// Cgroup mode of the machine [default: v2].
    #[arg(long, value_name = "MODE", value_parser = words::<Cgroups>(Cgroups::WORDS))]
    pub cgroup: Vec<Cgroups>,
    /// Security module of the machine, with a policy that comes with plimsoll [default: none].
    #[arg(long, value_name = "NAME", value_parser = words::<Lsm>(Lsm::WORDS))]
    pub lsm: Vec<Lsm>,
    /// A TOML file of machines: `[[machine]]` tables with `kernel`, `cgroup` and `lsm`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kernel", "cgroup", "lsm"])]
    pub matrix: Option<PathBuf>,
    /// Number of machines that run at the same time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// A program or file that the runtime needs in the machine. It has the same path there, and comes with its shared
    /// libraries.
    #[arg(long, value_name = "FILE")]
    pub add: Vec<PathBuf>,
    /// Memory of each machine, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = MEMORY, value_parser = clap::value_parser!(u32).range(32..))]
    pub memory: u32,
    /// Processors of each machine [default: as many as the host has].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub cpus: Option<u16>,
    /// Accelerator: tcg (emulation), kvm, or auto, which uses kvm if a trial boot with it works.
    #[arg(long, value_enum, default_value_t = Acceleration::Tcg)]
    pub accel: Acceleration,
    /// The plimsoll command, such as `run --runtime runc`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Accelerators of QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Acceleration {
    /// Emulation in software.
    Tcg,
    /// Hardware virtualization.
    Kvm,
    /// kvm if a trial boot with it works, else tcg.
    Auto,
}
