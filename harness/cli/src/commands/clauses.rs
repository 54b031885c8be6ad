//! `plimsoll clauses`: every clause of the specification with the checks that cite it.

use std::process::ExitCode;

use plimsoll_reports::coverage::Covered;
use plimsoll_reports::table;

use crate::args::{Clauses, DisplayOptions};
use crate::shared::failure::Failure;
use crate::shared::output::print;

/// Prints the matrix; needs no root and no runtime.
pub fn clauses(args: &Clauses, display: DisplayOptions) -> Result<ExitCode, Failure> {
    let mut coverage = plimsoll_suites::coverage::coverage();
    if args.json {
        let shown = |clause: &Covered| !args.uncovered || clause.checks.is_empty();
        coverage.clauses.retain(shown);
        coverage.practice.retain(shown);
        let text = serde_json::to_string_pretty(&coverage).map_err(Failure::host)?;
        print(&(text + "\n"))?;
    } else {
        let shown = |clause: &Covered| !args.totals && (!args.uncovered || clause.checks.is_empty());
        print(&table::coverage::render(&coverage, shown, display.style()))?;
    }
    Ok(ExitCode::SUCCESS)
}
