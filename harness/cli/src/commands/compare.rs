//! `plimsoll compare`: what changed between two runs.

use std::path::Path;
use std::process::ExitCode;

use plimsoll_reports::compare::{compare as compared, markdown, text, unlike};
use plimsoll_reports::file::Document;
use plimsoll_reports::model::Report;
use plimsoll_suites::renamed;

use crate::args::{Compare, ComparisonFormat, DisplayOptions};
use crate::shared::expectations::KnownDeviations;
use crate::shared::failure::Failure;
use crate::shared::output::print;

/// Shows the changes; the exit code is that of a gate.
pub fn compare(args: &Compare, display: DisplayOptions) -> Result<ExitCode, Failure> {
    let known = KnownDeviations::read(&args.expect)?;
    let [old, mut new] = [read(&args.old)?, read(&args.new)?];
    if let Some(differs) = unlike(&old, &new).filter(|_| !args.common) {
        let files = format!("{} and {}", args.old.display(), args.new.display());
        return Err(Failure::Usage(format!(
            "{files} have different checks: {differs}; --common compares the checks in both"
        )));
    }
    known.apply(&mut new, false);
    let comparison = compared(&old, &new);
    if comparison.compared == 0 {
        let files = format!("{} and {}", args.old.display(), args.new.display());
        return Err(Failure::Nothing(format!("{files} have no check in common")));
    }
    match args.format {
        ComparisonFormat::Markdown => print(&markdown(&comparison))?,
        ComparisonFormat::Text if display.quiet => {}
        ComparisonFormat::Text => print(&text(&comparison, display.verbose))?,
    }
    let code = match comparison.exit_code() {
        0 if args.same_verdicts && !comparison.has_same_verdicts() => 1,
        code => code,
    };
    Ok(ExitCode::from(code))
}

/// Results, with the ids that checks have today.
fn read(path: &Path) -> Result<Report, Failure> {
    let mut report = Report::read(path).map_err(Failure::usage)?;
    renamed::update(&mut report);
    Ok(report)
}
