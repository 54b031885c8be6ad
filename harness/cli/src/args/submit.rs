//! The commands about a submission to a conformance programme, and those that describe this program.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Build the folder that a conformance programme would want.
#[derive(Debug, Args)]
pub struct Submit {
    /// Results of the whole suite.
    #[arg(value_name = "RESULTS")]
    pub results: PathBuf,
    /// The directory to make; nothing may be there.
    #[arg(long, short, value_name = "DIR", default_value = "submission")]
    pub output: PathBuf,
    /// Name of the legal entity that submits.
    #[arg(long)]
    pub vendor: String,
    /// Name of the product.
    #[arg(long)]
    pub name: String,
    /// Version of the product [default: what the runtime told].
    #[arg(long)]
    pub product_version: Option<String>,
    /// Address of the site of the product.
    #[arg(long, value_name = "URL")]
    pub website_url: String,
    /// Address of its documentation.
    #[arg(long, value_name = "URL")]
    pub documentation_url: String,
    /// Address of its sources, if they are public.
    #[arg(long, value_name = "URL")]
    pub repo_url: Option<String>,
    /// What it is, in one sentence.
    #[arg(long)]
    pub description: String,
}

/// Check a submission.
#[derive(Debug, Args)]
pub struct VerifySubmission {
    /// The directory.
    #[arg(value_name = "DIR", default_value = "submission")]
    pub dir: PathBuf,
}

/// Print the completions for a shell.
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
