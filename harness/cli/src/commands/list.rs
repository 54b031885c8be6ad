//! `plimsoll run --list` and `--list-circumstances`: the checks and the clauses that they cite, and under what they are judged.

use std::io::{self, Write};
use std::process::ExitCode;

use plimsoll_engine::check::Check;
use plimsoll_suites::circumstances;

use crate::args::Run;
use crate::shared::failure::Failure;
use crate::shared::select::{first_of_each_subject, select};

/// Prints each selected check: id, axis, clauses with their levels.
pub fn list(args: &Run) -> Result<ExitCode, Failure> {
    let checks = select(circumstances::judged(&args.under), &args.filter)?;
    let checks = if args.quick { first_of_each_subject(checks) } else { checks };
    let part = |check: &&Check| args.partition.is_none_or(|part| part.takes(&check.id));
    print_lines(checks.iter().filter(part).map(|check| {
        let clauses: Vec<String> =
            check.clauses.iter().map(|clause| format!("{} ({})", clause.id, clause.level)).collect();
        format!("{:<60} {:<8} {}", check.id, check.axis(), clauses.join(", "))
    }))
}

/// Prints each circumstance, how many checks hold under it, and what it is.
pub fn list_circumstances() -> Result<ExitCode, Failure> {
    let checks = plimsoll_suites::all();
    print_lines(circumstances::ALL.iter().map(|circumstance| {
        let count = circumstances::under(&checks, circumstance).len();
        format!("{:<18} {count:>5} checks  {}", circumstance.name, circumstance.about)
    }))
}

fn print_lines(lines: impl Iterator<Item = String>) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    for line in lines {
        match writeln!(out, "{line}") {
            // A reader such as `head` may have seen enough.
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            other => other.map_err(Failure::host)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}
