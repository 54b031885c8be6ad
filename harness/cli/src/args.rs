//! The command line.

mod bench;
mod fuzz;
mod display;
mod report;
mod given;
mod submit;
mod vm;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use plimsoll_engine::release::Release;
use plimsoll_reports::format::Format;

pub use self::bench::{Bench, Cadence, RuntimeArgs, Trace, Turn, What};
pub use self::fuzz::{Corpus, CorpusCommand, Fuzz, Kind, Replay};
pub use self::display::DisplayOptions;
pub use self::report::{Compare, ComparisonFormat, Expect, ExpectCommand, Merge, Report, Update};
pub use self::given::{DECISIVE, is_given};
pub use self::submit::{Completions, Man, Submit, VerifySubmission};
use self::vm::HELP as VM_HELP;
pub use self::vm::{Acceleration, Vm};
use crate::shared::replay::TIMEOUT;
use crate::shared::output::ReportRequest;
use crate::shared::select::Part;

/// Where the cases are that are tried before the random ones.
pub const CORPUS: &str = "fixtures/corpus";

/// Judges OCI container runtimes, clause by clause, by what the kernel and a program inside the container see.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, about, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How much is shown.
    #[command(flatten)]
    pub display: DisplayOptions,
    /// A file with defaults for these options [default: plimsoll.toml, if it is in the current directory].
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The words of the command, as JSON, that this one is a part of: a virtual machine is told how it was called.
    #[arg(long, global = true, hide = true)]
    pub within: Option<String>,
}

const EXIT_CODES: &str = "Exit codes: 0 as the specification demands; 1 a check failed or ran out of time; \
2 the host or the harness failed; 3 nothing was selected or could run; 4 wrong usage.";

fn formats() -> String {
    let head = "Show the report in this format as well: FORMAT to print it instead of the table, FORMAT=FILE to write it. \
                May be given several times. Formats:";
    format!("{head} {}", Format::ALL.map(Format::as_str).join(", "))
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a runtime.
    #[command(after_help = EXIT_CODES)]
    Run(Box<Run>),
    /// Show that each check turns red for the faults that it is there for.
    #[command(after_help = "Exit codes: 0 every fault was seen; 1 one was not; 2, 3, 4 as for `run`.")]
    Prove(Prove),
    /// Measure how fast runtimes create, start, exec and delete containers, against each other and the bare kernel.
    #[command(
        after_help = "Exit codes: 0 measured; 1 slower than --gate allows; 2 the host or the harness failed; 4 wrong usage."
    )]
    Bench(Box<Bench>),
    /// Show where the time of a start goes: system calls, grouped into steps.
    Trace(Trace),
    /// Show every clause of the specification, the checks that cite it, and what is not checked and why.
    Clauses(Clauses),
    /// Try random bundles, lifecycles and hostile configurations, and make what breaks a property minimal.
    #[command(
        after_help = "Exit codes: 0 nothing new was found; 1 a property was broken; 2 the host or the harness failed, or the \
search was cut short; 3 nothing was tried; 4 wrong usage."
    )]
    Fuzz(Box<Fuzz>),
    /// Try again what a run or a search has found: a check of its results, or a kept case.
    #[command(
        after_help = "Exit codes: 0 it passes, or its property holds; 1 it fails or is broken; 2 the host or the harness failed; \
3 it was skipped; 4 wrong usage."
    )]
    Replay(Replay),
    /// DisplayOptions after the cases that `plimsoll fuzz` tries before the random ones.
    Corpus(Corpus),
    /// Say what this host lacks, how many checks that costs, and what a virtual machine would have.
    Doctor(Doctor),
    /// Show results again, in any format.
    Report(Report),
    /// Run a command of plimsoll in a virtual machine: another kernel, other control groups, another security module.
    #[command(after_help = VM_HELP)]
    Vm(Vm),
    /// Compare two runs of the same checks: what is newly failing, newly passing, changed.
    #[command(
        after_help = "Exit codes: 0 nothing is newly failing; 1 something is, unexpectedly; 2 something is in error; \
4 wrong usage."
    )]
    Compare(Compare),
    /// Put the parts of a run together that were made with --partition.
    #[command(after_help = EXIT_CODES)]
    Merge(Merge),
    /// Bring a file of known deviations up to date.
    Expect(Expect),
    /// Build the folder that a conformance programme would want.
    Submit(Submit),
    /// Check such a folder.
    #[command(after_help = "Exit codes: 0 it is complete and consistent; 1 it is not.")]
    VerifySubmission(VerifySubmission),
    /// Print the completions for a shell.
    Completions(Completions),
    /// Write the manual pages.
    Man(Man),
    /// Be the bundled OCI runtime; `plimsoll runtime --help` shows its commands.
    #[command(disable_help_flag = true)]
    Runtime {
        /// A command of the runtime, and what belongs to it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        arguments: Vec<OsString>,
    },
    /// Remove what a killed run has left on this host.
    Clean(Clean),
}

/// The runtime and how it is treated.
#[derive(Clone, Debug, Args)]
pub struct Subject {
    /// The runtime binary: a path, or a name to look up in PATH; `run` judges several, one after the other [default: the
    /// bundled runtime].
    #[arg(long, value_name = "PATH")]
    pub runtime: Vec<PathBuf>,
    /// How to speak to it: `runc` (also crun, youki and their kin), `runsc`, or the path of a TOML file.
    #[arg(long, value_name = "NAME|FILE", default_value = "runc")]
    pub profile: String,
    /// Which cgroup mounts the runtime is shown: the host's, or, where a runtime refuses a hybrid host, a private view
    /// of the v1 controllers alone.
    #[arg(long, value_enum, default_value_t = View::Host)]
    pub cgroup_view: View,
    /// Release of the specification to judge by, such as 1.2.1, or `next` for drafts: what a later one added gives warnings [default: what the
    /// runtime claims in its features, else 1.0.2].
    #[arg(long, value_name = "RELEASE")]
    pub spec: Option<Release>,
    /// How many checks run at once, besides those that wait for a deadline [default: four for each processor, since a
    /// runtime mostly waits for the kernel].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The longest that one call of the runtime may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub timeout: u64,
    /// How many times longer everything may take, for slow machines [default: 1, and 10 in an emulated machine].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub time_scale: Option<u32>,
    /// Which of these the command line says, by their names here.
    #[arg(skip)]
    pub given: Vec<&'static str>,
    /// The words of the command that this one is a part of.
    #[arg(skip)]
    pub within: Vec<String>,
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
    /// Where to write the proof as JSON.
    #[arg(long, value_name = "FILE", default_value = "proof.json")]
    pub output: PathBuf,
    /// A list of mutants (`--format killed=FILE`) that an older proof saw killed: none of them may survive now.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Try each lawful difference of a runtime (`Fairness` in the proof) on one container in four, where trying all of them takes
    /// too long.
    #[arg(long)]
    pub sample: bool,
    /// Show the proof in this format as well; see `plimsoll run --help`.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
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
    /// Only one part of the checks, chosen by their names: the same ones on every machine. `plimsoll merge` puts the parts
    /// together again.
    #[arg(long, value_name = "hash:M/N", conflicts_with = "replay")]
    pub partition: Option<Part>,
    /// List the checks and their clauses instead of running them.
    #[arg(long)]
    pub list: bool,
    /// Keep bundles, logs and evidence in this directory [default when given without a value: plimsoll-kept].
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "plimsoll-kept")]
    pub keep: Option<PathBuf>,
    /// Run this one check by itself, keep its bundle and print the exact commands.
    #[arg(long, value_name = "ID", conflicts_with = "filter")]
    pub replay: Option<String>,
    /// Known deviations: a TOML file of checks, verdicts and reasons. A deviation that is in it does not turn the run
    /// red; one that is in it and no longer there does. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
    /// Where to write the results as JSON. With several runtimes, a number that tells them apart is put before the dot; with
    /// --replay the default is in the directory that is kept.
    #[arg(long, value_name = "FILE", default_value = "results.json")]
    pub output: PathBuf,
    /// Give each check containers of its own. Otherwise cases that change different things share one, and those that do
    /// not pass there are tried again alone.
    #[arg(long)]
    pub alone: bool,
    /// Show the report in this format as well: FORMAT to print it instead of the table, FORMAT=FILE to write it. May be
    /// given several times.
    #[arg(long, value_name = "FORMAT[=FILE]", long_help = formats())]
    pub format: Vec<ReportRequest>,
    /// Run the other checks even when the simplest container does not run.
    #[arg(long)]
    pub no_preflight: bool,
}

/// Show the matrix of clauses and checks.
#[derive(Debug, Args)]
pub struct Clauses {
    /// Show in full only those that no check cites.
    #[arg(long)]
    pub uncovered: bool,
    /// Show only the counts.
    #[arg(long, conflicts_with = "uncovered")]
    pub totals: bool,
    /// Write everything as JSON instead.
    #[arg(long)]
    pub json: bool,
}

/// Say what this host lacks.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The kind of runtime that is to be judged; see `plimsoll run --help`.
    #[arg(long, value_name = "NAME|FILE", default_value = "runc")]
    pub profile: String,
}

/// Remove what a killed run has left on this host.
#[derive(Debug, Args)]
pub struct Clean {
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    pub dry_run: bool,
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
