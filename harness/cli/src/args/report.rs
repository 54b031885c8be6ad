//! The commands that work on results, and need neither root nor a runtime.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::shared::output::ReportRequest;

/// Show results again, in any format.
#[derive(Debug, Args)]
pub struct Report {
    /// Results of runs, of which several stand side by side, and proofs.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// In which formats, and where to: see `plimsoll run --help` [default: table].
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}

/// Compare two runs of the same checks.
#[derive(Debug, Args)]
pub struct Compare {
    /// Results of the earlier run.
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// Results of the later run.
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = ComparisonFormat::Text)]
    pub format: ComparisonFormat,
    /// Compare the checks that both have, though one has others too.
    #[arg(long)]
    pub common: bool,
    /// Fail on each check that has another verdict, be it a better one: for two runs of the same runtime.
    #[arg(long)]
    pub same_verdicts: bool,
    /// Known deviations: what is newly failing as expected does not turn the gate red.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
}

/// How to show a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ComparisonFormat {
    /// For a terminal.
    Text,
    /// For a comment on a pull request.
    Markdown,
}

/// Work on files of expectations.
#[derive(Debug, Args)]
pub struct Expect {
    /// What to do.
    #[command(subcommand)]
    pub command: ExpectCommand,
}

/// What to do with a file of expectations.
#[derive(Debug, Subcommand)]
pub enum ExpectCommand {
    /// Bring a file up to date with a run: what is mended goes, new deviations come, all else stays as it is.
    Update(Update),
}

/// Bring a file of expectations up to date with a run.
#[derive(Debug, Args)]
pub struct Update {
    /// Results of the run.
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,
    /// The file to change; it is made when it is not there.
    #[arg(long, value_name = "FILE", default_value = "expectations.toml")]
    pub expect: PathBuf,
    /// Print the file instead of writing it.
    #[arg(long)]
    pub dry_run: bool,
}

/// Put the parts of a run together that were made with `--partition`.
#[derive(Debug, Args)]
pub struct Merge {
    /// Results of each part.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Where to write the whole.
    #[arg(long, short, value_name = "FILE", default_value = "results.json")]
    pub output: PathBuf,
    /// Known deviations, as for `plimsoll run`.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
    /// In which formats, and where to: see `plimsoll run --help`.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}
