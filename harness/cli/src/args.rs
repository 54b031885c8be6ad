//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use plimsoll_engine::release::Release;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use plimsoll_vm::environment::{Cgroups, Lsm};

/// Judges OCI container runtimes, clause by clause, by what the kernel and a program inside the container see.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, about, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 as the specification demands; 1 a check failed or ran out of time; \
2 the host or the harness failed; 3 nothing was selected or could run; 4 wrong usage.";

const VM_HELP: &str = "Needs qemu-system-x86_64 and a kernel image, and no root. Exit codes: those of the command; 2 when \
there is no answer from a machine. Of several machines: the gravest of 4, 2, 1, 0, and 3 when there is no other.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Judge a runtime.
    #[command(after_help = EXIT_CODES)]
    Run(Box<Run>),
    /// Show that each check turns red for the faults that it is there for.
    #[command(after_help = "Exit codes: 0 every fault was seen; 1 one was not; 2, 3, 4 as for `run`.")]
    Prove(Prove),
    /// Run a command of plimsoll in a virtual machine: another kernel, other control groups, another security module.
    #[command(after_help = VM_HELP)]
    Vm(Vm),
    /// Remove what a killed run has left on this host.
    Clean(Clean),
}

/// The runtime and how it is treated.
#[derive(Clone, Debug, Args)]
pub struct Subject {
    /// The runtime binary: a path, or a name to look up in PATH.
    #[arg(long, value_name = "PATH")]
    pub runtime: Option<PathBuf>,
    /// How to speak to it: `runc` (also crun, youki and their kin), `runsc`, or the path of a TOML file.
    #[arg(long, value_name = "NAME|FILE", default_value = "runc")]
    pub profile: String,
    /// Which cgroup mounts the runtime is shown: the host's, or, where a runtime refuses a hybrid host, a private view
    /// of the v1 controllers alone.
    #[arg(long, value_enum, default_value_t = View::Host)]
    pub cgroup_view: View,
    /// Release of the specification to judge by, such as 1.2.1: what a later one added gives warnings [default: what the
    /// runtime claims in its features, else 1.0.2].
    #[arg(long, value_name = "RELEASE")]
    pub spec: Option<Release>,
    /// How many checks run at once [default: the number of processors].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The longest that one call of the runtime may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// How many times longer everything may take, for slow machines [default: 1, and 10 in an emulated machine].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub time_scale: Option<u32>,
}

/// Show that checks see what they are there for.
#[derive(Debug, Args)]
pub struct Prove {
    /// The runtime that the faults are put in front of.
    #[command(flatten)]
    pub subject: Subject,
    /// Only these checks; see `plimsoll run --help`.
    #[arg(long, value_name = "FILTER")]
    pub filter: Vec<String>,
}

/// Judge a runtime.
#[derive(Debug, Args)]
pub struct Run {
    /// The runtime; not needed for a list.
    #[command(flatten)]
    pub subject: Subject,
    /// Only checks that match: a glob on ids (`mounts.*`), or `clause=GLOB`, `section=NAME`, `level=MUST`,
    /// `axis=spec`. Given several times, any may match.
    #[arg(long, value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Only the first check of each subject (the part of an id before the slash): every rule once, in a few seconds.
    #[arg(long)]
    pub quick: bool,
    /// List the checks and their clauses instead of running them.
    #[arg(long)]
    pub list: bool,
    /// Keep bundles, logs and evidence in this directory [default when given without a value: plimsoll-kept].
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "plimsoll-kept")]
    pub keep: Option<PathBuf>,
    /// Run this one check, keep its bundle and print the exact commands.
    #[arg(long, value_name = "ID", conflicts_with = "filter")]
    pub replay: Option<String>,
    /// Known deviations: a TOML file of checks, verdicts and reasons. A deviation that is in it does not turn the run
    /// red; one that is in it and no longer there does. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
    /// Where to write the results as JSON.
    #[arg(long, value_name = "FILE", default_value = "results.json")]
    pub output: PathBuf,
    /// Run the other checks even when the simplest container does not run.
    #[arg(long)]
    pub no_preflight: bool,
    /// Show passed checks too, and everything in full.
    #[arg(long, short)]
    pub verbose: bool,
}

/// Remove what a killed run has left on this host.
#[derive(Debug, Args)]
pub struct Clean {
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Run a command in a virtual machine.
#[derive(Debug, Args)]
pub struct Vm {
    /// A kernel: an image, or a directory that a kernel package was unpacked into [default: the newest readable one of
    /// this host]. This option, --cgroup and --lsm may be given several times: every combination is tried.
    #[arg(long, value_name = "FILE|DIR")]
    pub kernel: Vec<PathBuf>,
    /// Which control groups the machine mounts [default: v2].
    #[arg(long, value_name = "MODE", value_parser = PossibleValuesParser::new(Cgroups::WORDS).try_map(|word| word.parse::<Cgroups>()))]
    pub cgroup: Vec<Cgroups>,
    /// Which security module is active, with a policy that is brought along [default: none].
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Lsm::WORDS).try_map(|word| word.parse::<Lsm>()))]
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
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(32..))]
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

/// Which cgroup mounts the runtime is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// Those of the host.
    Host,
    /// The v1 controllers alone.
    V1,
}

impl View {
    /// As the report names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::V1 => "v1",
        }
    }
}
