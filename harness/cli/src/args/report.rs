//! The verbs that work on results, and need neither root nor a runtime.

use std::path::PathBuf;

use clap::Args;

use crate::output::Wish;

/// Show results again, in any format.
#[derive(Debug, Args)]
pub struct Report {
    /// Results of runs, of which several stand side by side, and proofs.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// In which formats, and where to: see `plimsoll run --help` [default: table].
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<Wish>,
}
