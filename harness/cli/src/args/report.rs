//! Commands that work on results. They need neither root nor a runtime.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::shared::output::ReportRequest;

/// Render results in any format.
#[derive(Debug, Args)]
pub struct Report {
    /// Results of runs, benchmarks, searches or proofs. Several runs are shown side by side.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Render in this format; see `plimsoll run --help` [default: table].
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}

/// Compare two runs of the same checks.
#[derive(Debug, Args)]
pub struct Compare {
    /// Results of the older run.
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// Results of the newer run.
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t = ComparisonFormat::Text)]
    pub format: ComparisonFormat,
    /// Compare only the checks that are in both runs.
    #[arg(long)]
    pub common: bool,
    /// Fail if any verdict differs, even for the better. Use it to compare two runs of the same runtime.
    #[arg(long)]
    pub same_verdicts: bool,
    /// A file of known deviations: new failures that it lists do not fail the comparison.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
}

/// Formats of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ComparisonFormat {
    /// For a terminal.
    Text,
    /// For a comment on a pull request.
    Markdown,
}

/// Work on files of known deviations.
#[derive(Debug, Args)]
pub struct Expect {
    /// The command.
    #[command(subcommand)]
    pub command: ExpectCommand,
}

/// Commands for a file of known deviations.
#[derive(Debug, Subcommand)]
pub enum ExpectCommand {
    /// Update a file from the results of a run: remove entries that no longer apply, add new deviations, keep the rest.
    Update(Update),
}

/// Update a file of known deviations from the results of a run.
#[derive(Debug, Args)]
pub struct Update {
    /// Results of the run.
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,
    /// The file to update; it is created if it does not exist.
    #[arg(long, value_name = "FILE", default_value = "expectations.toml")]
    pub expect: PathBuf,
    /// Print the file instead of writing it.
    #[arg(long)]
    pub dry_run: bool,
}

/// Merge the results of a run that was split with `--partition`.
#[derive(Debug, Args)]
pub struct Merge {
    /// Results of each part.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the merged results to this file.
    #[arg(long, short, value_name = "FILE", default_value = "results.json")]
    pub output: PathBuf,
    /// A file of known deviations; see `plimsoll run --help`.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
    /// Render in this format; see `plimsoll run --help`.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}
