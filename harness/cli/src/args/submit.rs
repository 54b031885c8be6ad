//! Commands for submissions to a conformance programme, and for completions and manual pages.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Build a submission for a conformance programme.
#[derive(Debug, Args)]
pub struct Submit {
    /// Results of a run of all checks.
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,
    /// The directory to create; it must not exist.
    #[arg(long, short, value_name = "DIR", default_value = "submission")]
    pub output: PathBuf,
    /// Legal name of the vendor.
    #[arg(long)]
    pub vendor: String,
    /// Name of the product.
    #[arg(long)]
    pub name: String,
    /// Version of the product [default: the version that the runtime printed].
    #[arg(long)]
    pub product_version: Option<String>,
    /// Website of the product.
    #[arg(long, value_name = "URL")]
    pub website_url: String,
    /// Documentation of the product.
    #[arg(long, value_name = "URL")]
    pub documentation_url: String,
    /// Source repository of the product, if it is public.
    #[arg(long, value_name = "URL")]
    pub repo_url: Option<String>,
    /// Description of the product, in one sentence.
    #[arg(long)]
    pub description: String,
}

/// Check a submission.
#[derive(Debug, Args)]
pub struct VerifySubmission {
    /// The directory of the submission.
    #[arg(value_name = "DIR", default_value = "submission")]
    pub dir: PathBuf,
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    pub shell: Shell,
}

/// Write the manual pages.
#[derive(Debug, Args)]
pub struct Man {
    /// The directory to write them to.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}
