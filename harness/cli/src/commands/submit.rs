//! `plimsoll submit` and `plimsoll verify-submission`.

use std::process::ExitCode;

use plimsoll_reports::file::Document;
use plimsoll_reports::model::Report;
use plimsoll_reports::submission::{Product, build, verify, version_of};

use crate::args::{Submit, VerifySubmission};
use crate::shared::failure::Failure;
use crate::shared::output::{fill, say};

/// Builds the folder.
pub fn submit(args: &Submit) -> Result<ExitCode, Failure> {
    let report = Report::read(&args.results).map_err(Failure::usage)?;
    let product = Product {
        vendor: args.vendor.clone(),
        name: args.name.clone(),
        version: args.product_version.clone().unwrap_or_else(|| version_of(&report)),
        website_url: args.website_url.clone(),
        documentation_url: args.documentation_url.clone(),
        description: args.description.clone(),
        repo_url: args.repo_url.clone().unwrap_or_default(),
    };
    let results = args.results.display();
    let files = build(&report, &product, &suite()).map_err(|why| Failure::Usage(format!("{results}: {why}")))?;
    if args.output.exists() {
        return Err(Failure::Usage(format!("{} exists; choose another --output", args.output.display())));
    }
    fill(&args.output, &files)?;
    report.write(&args.output.join("results.json")).map_err(Failure::host)?;
    say(&format!("created {}; review it, then run `plimsoll verify-submission {0}`", args.output.display()));
    Ok(ExitCode::SUCCESS)
}

/// Checks a folder.
pub fn verify_submission(args: &VerifySubmission) -> Result<ExitCode, Failure> {
    let wrong = verify(&args.dir, &suite(), env!("CARGO_PKG_VERSION"));
    wrong.iter().for_each(|why| say(&format!("plimsoll: {why}")));
    if wrong.is_empty() {
        say(&format!("{} is complete and consistent", args.dir.display()));
    }
    Ok(ExitCode::from(u8::from(!wrong.is_empty())))
}

/// Ids of all checks.
fn suite() -> Vec<String> {
    plimsoll_suites::all().into_iter().map(|check| check.id).collect()
}
