//! The options of `plimsoll vm`.

use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use plimsoll_vm::environment::{Cgroups, Lsm};

use crate::commands::vm::context::MEMORY;

pub(super) const HELP: &str = "Needs qemu-system-x86_64 and a kernel image, and no root. Exit codes: those of the command; 2 when \
there is no answer from a machine. Of several machines: the gravest of 4, 2, 1, 0, and 3 when there is no other.";

/// Takes one of these words for what it means.
fn words<T: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static>(
    words: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// Run a command in a virtual machine.
#[derive(Debug, Args)]
pub struct Vm {
    /// A kernel: an image, or a directory that a kernel package was unpacked into [default: the newest readable one of
    /// this host]. This option, --cgroup and --lsm may be given several times: every combination is tried.
    #[arg(long, value_name = "FILE|DIR")]
    pub kernel: Vec<PathBuf>,
    /// Which control groups the machine mounts [default: v2].
    #[arg(long, value_name = "MODE", value_parser = words::<Cgroups>(Cgroups::WORDS))]
    pub cgroup: Vec<Cgroups>,
    /// Which security module is active, with a policy that is brought along [default: none].
    #[arg(long, value_name = "NAME", value_parser = words::<Lsm>(Lsm::WORDS))]
    pub lsm: Vec<Lsm>,
    /// Machines to try, from a TOML file of `[[machine]]` tables with `kernel`, `cgroup` and `lsm`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["kernel", "cgroup", "lsm"])]
    pub matrix: Option<PathBuf>,
    /// How many machines run at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// A program or file that the runtime needs inside, under the same path; with its shared libraries.
    #[arg(long, value_name = "FILE")]
    pub add: Vec<PathBuf>,
    /// Memory of a machine in MiB.
    #[arg(long, value_name = "MIB", default_value_t = MEMORY, value_parser = clap::value_parser!(u32).range(32..))]
    pub memory: u32,
    /// Processors of a machine [default: those of the host].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub cpus: Option<u16>,
    /// How instructions are carried out: by software, by the processor, or by the processor when a trial boot shows that
    /// this works.
    #[arg(long, value_enum, default_value_t = Acceleration::Tcg)]
    pub accel: Acceleration,
    /// The command, such as `run --runtime runc`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// How a machine's instructions are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Acceleration {
    /// By software.
    Tcg,
    /// By the processor.
    Kvm,
    /// By the processor when a trial boot shows that this works, else by software.
    Auto,
}
