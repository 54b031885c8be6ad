//! The command line.

mod bench;
mod display;
mod fuzz;
mod given;
mod report;
mod submit;
mod vm;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use plimsoll_engine::release::Release;
use plimsoll_reports::format::Format;
use plimsoll_suites::circumstances;

pub use self::bench::{Bench, Cadence, RuntimeArgs, Trace, Turn, What};
pub use self::display::DisplayOptions;
pub use self::fuzz::{Corpus, CorpusCommand, Fuzz, Kind, Replay};
pub use self::given::{DECISIVE, is_given};
pub use self::report::{Compare, ComparisonFormat, Expect, ExpectCommand, Merge, Report, Update};
pub use self::submit::{Completions, Man, Submit, VerifySubmission};
use self::vm::HELP as VM_HELP;
pub use self::vm::{Acceleration, Vm};
use crate::shared::output::ReportRequest;
use crate::shared::replay::TIMEOUT;
use crate::shared::select::Part;

/// The cases that `plimsoll fuzz` tries before random ones.
pub const CORPUS: &str = "fixtures/corpus";

/// Test OCI container runtimes against the specification, clause by clause.
///
/// Verdicts rest on what the kernel and a probe inside the container see, not on what the runtime says.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, about, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// Verbosity and colour.
    #[command(flatten)]
    pub display: DisplayOptions,
    /// Read default options from this file [default: plimsoll.toml in the current directory, if there is one].
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The `plimsoll vm` command that this one is a part of, as a JSON array of its arguments.
    #[arg(long, global = true, hide = true)]
    pub within: Option<String>,
}

const EXIT_CODES: &str = "Exit codes: 0 all checks passed, or failed as expected; 1 a check failed or timed out; \
2 the host or the harness failed; 3 no check was selected or could run; 4 wrong usage.";

fn formats() -> String {
    let head = "Render the report in this format: FORMAT prints it instead of the table, FORMAT=FILE writes it to a file. \
                Can be given several times. Formats:";
    format!("{head} {}", Format::ALL.map(Format::as_str).join(", "))
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the checks against a runtime.
    #[command(after_help = EXIT_CODES)]
    Run(Box<Run>),
    /// Run the checks against mutants of a runtime and show that each check catches its faults.
    #[command(after_help = "Exit codes: 0 every mutant was caught; 1 a mutant survived; 2, 3, 4 as for `run`.")]
    Prove(Prove),
    /// Measure how fast runtimes create, start, exec and delete containers.
    #[command(
        after_help = "Exit codes: 0 measured; 1 slower than --gate allows; 2 the host or the harness failed; 4 wrong usage."
    )]
    Bench(Box<Bench>),
    /// Trace `create` and `start`: where the time goes, by system calls grouped into steps.
    Trace(Trace),
    /// List the clauses of the specification, with the checks that cite each and the reasons for those without a check.
    Clauses(Clauses),
    /// Test a runtime with random bundles, lifecycles and hostile configurations, and minimize what fails.
    #[command(
        after_help = "Exit codes: 0 no new failure; 1 a property was violated; 2 the host or the harness failed, or the \
search was interrupted; 3 no case was run; 4 wrong usage."
    )]
    Fuzz(Box<Fuzz>),
    /// Run a check of earlier results again, or a case that `plimsoll fuzz` saved.
    #[command(
        after_help = "Exit codes: 0 the check passed or the property holds; 1 the check failed or the property is violated; 2 the host or \
the harness failed; 3 the check was skipped; 4 wrong usage."
    )]
    Replay(Replay),
    /// Manage the corpus: the cases that `plimsoll fuzz` tries before random ones.
    Corpus(Corpus),
    /// Report what this host lacks, and how many checks are skipped for it.
    Doctor(Doctor),
    /// Render results in any format.
    Report(Report),
    /// Run a plimsoll command in a virtual machine, with another kernel, cgroup mode or security module.
    #[command(after_help = VM_HELP)]
    Vm(Vm),
    /// Compare two runs of the same checks: newly failing, newly passing, changed.
    #[command(
        after_help = "Exit codes: 0 no check is newly failing; 1 a check is newly failing and not expected to; 2 a check is newly in \
error; 4 wrong usage."
    )]
    Compare(Compare),
    /// Merge the results of a run that was split with --partition.
    #[command(after_help = EXIT_CODES)]
    Merge(Merge),
    /// Update a file of known deviations.
    Expect(Expect),
    /// Build a submission for a conformance programme.
    Submit(Submit),
    /// Check a submission.
    #[command(after_help = "Exit codes: 0 the submission is complete and consistent; 1 it is not.")]
    VerifySubmission(VerifySubmission),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Write the manual pages.
    Man(Man),
    /// Run the bundled OCI runtime; see `plimsoll runtime --help`.
    #[command(disable_help_flag = true)]
    Runtime {
        /// The command of the runtime, with its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        arguments: Vec<OsString>,
    },
    /// Remove what killed runs have left on this host.
    Clean(Clean),
}

/// The runtime under test, and how it is called.
#[derive(Clone, Debug, Args)]
pub struct Subject {
    /// The runtime binary: a path, or a name that is looked up in PATH. `run` takes several and tests one after the
    /// other [default: the bundled runtime].
    #[arg(long, value_name = "PATH")]
    pub runtime: Vec<PathBuf>,
    /// Command-line profile of the runtime: `runc` (also for crun and youki), `runsc`, or the path of a TOML file.
    #[arg(long, value_name = "NAME|FILE", default_value = "runc")]
    pub profile: String,
    /// The cgroup mounts that the runtime sees: those of the host, or only the v1 controllers, for runtimes that refuse a
    /// hybrid host.
    #[arg(long, value_enum, default_value_t = View::Host)]
    pub cgroup_view: View,
    /// Release of the specification to test against, such as 1.2.1, or `next` for drafts. Clauses of later releases only
    /// give warnings [default: the release in the output of `features`, or 1.0.2].
    #[arg(long, value_name = "RELEASE")]
    pub spec: Option<Release>,
    /// Number of checks that run at the same time, not counting those that wait for a deadline [default: 4 per processor].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Timeout of each call of the runtime, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub timeout: u64,
    /// Multiply all timeouts by N, for slow machines [default: 1, or 10 in an emulated machine].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub time_scale: Option<u32>,
    /// The options that were given on the command line, by their names here.
    #[arg(skip)]
    pub given: Vec<&'static str>,
    /// The `plimsoll vm` command that this one is a part of.
    #[arg(skip)]
    pub within: Vec<String>,
}

/// Show that the checks catch faults.
#[derive(Debug, Args)]
pub struct Prove {
    /// The runtime that the faults are injected into.
    #[command(flatten)]
    pub subject: Subject,
    /// Only these checks; see `plimsoll run --help`.
    #[arg(long, value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Prove the checks under this circumstance; see `plimsoll run --help`.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(circumstances::words()), hide_possible_values = true)]
    pub under: Vec<String>,
    /// Write the proof to this file, as JSON.
    #[arg(long, value_name = "FILE", default_value = "proof.json")]
    pub output: PathBuf,
    /// Fail if a mutant of this list survives. `--format killed=FILE` writes such a list.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Try each neutral variation of the runtime on one container in four instead of all, to save time.
    #[arg(long)]
    pub sample: bool,
    /// Render the proof in this format; see `plimsoll run --help`.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}

/// Run the checks against a runtime.
#[derive(Debug, Args)]
pub struct Run {
    /// The runtime; not used with --list.
    #[command(flatten)]
    pub subject: Subject,
    /// Run only the checks that match: a glob of ids (`mounts.*`), `clause=GLOB`, `section=NAME`, `level=MUST` or
    /// `axis=spec`. If given several times, a check has to match any of them.
    #[arg(long, value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Judge cases again under this circumstance, such as `dirty-caller`; `--list-circumstances` shows all. `plain` is the suite as it
    /// is, which is the default, and `all` is everything. May be given several times.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(circumstances::words()), hide_possible_values = true)]
    pub under: Vec<String>,
    /// List the circumstances instead of running the checks.
    #[arg(long)]
    pub list_circumstances: bool,
    /// Run only the first check of each group, which is the part of an id before the slash: every rule once, in a few
    /// seconds.
    #[arg(long)]
    pub quick: bool,
    /// Run only part M of N of the checks, for several machines. `plimsoll merge` merges the results.
    #[arg(long, value_name = "hash:M/N", conflicts_with = "replay")]
    pub partition: Option<Part>,
    /// List the checks and their clauses; run nothing.
    #[arg(long)]
    pub list: bool,
    /// Keep the bundles, logs and evidence of the checks in this directory [default if given without a value: plimsoll-kept].
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "plimsoll-kept")]
    pub keep: Option<PathBuf>,
    /// Run only this check, keep its bundle, and print the commands that it ran.
    #[arg(long, value_name = "ID", conflicts_with = "filter")]
    pub replay: Option<String>,
    /// A TOML file of known deviations: checks, verdicts and reasons. A known deviation does not fail the run; one that no
    /// longer occurs does. Can be given several times.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
    /// Write the results to this file, as JSON. With several runtimes the files are numbered: results.1.json. With --replay
    /// the default is in the directory of --keep.
    #[arg(long, value_name = "FILE", default_value = "results.json")]
    pub output: PathBuf,
    /// Never share a container between checks. By default, cases that change different things share one, and cases that do
    /// not pass there run again alone.
    #[arg(long)]
    pub alone: bool,
    /// Render the report in this format: FORMAT prints it instead of the table, FORMAT=FILE writes it to a file. Can be
    /// given several times.
    #[arg(long, value_name = "FORMAT[=FILE]", long_help = formats())]
    pub format: Vec<ReportRequest>,
    /// Run all checks even if the simplest container does not work.
    #[arg(long)]
    pub no_preflight: bool,
}

/// List the clauses.
#[derive(Debug, Args)]
pub struct Clauses {
    /// List only the clauses that no check cites.
    #[arg(long)]
    pub uncovered: bool,
    /// Show only the totals.
    #[arg(long, conflicts_with = "uncovered")]
    pub totals: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Report what this host lacks.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Command-line profile of the runtime; see `plimsoll run --help`.
    #[arg(long, value_name = "NAME|FILE", default_value = "runc")]
    pub profile: String,
}

/// Remove what killed runs have left on this host.
#[derive(Debug, Args)]
pub struct Clean {
    /// Only print what would be removed.
    #[arg(long)]
    pub dry_run: bool,
}

/// The cgroup mounts that the runtime sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// Those of the host.
    Host,
    /// Only the v1 controllers.
    V1,
}

impl View {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::V1 => "v1",
        }
    }
}
