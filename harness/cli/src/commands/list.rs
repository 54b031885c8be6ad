//! `plimsoll run --list`: the checks and the clauses that they cite.

use std::io::{self, Write};
use std::process::ExitCode;

use plimsoll_engine::check::Check;

use crate::args::Run;
use crate::shared::failure::Failure;
use crate::shared::select::{first_of_each_subject, select};

/// Prints each selected check: id, axis, clauses with their levels.
pub fn list(args: &Run) -> Result<ExitCode, Failure> {
    let checks = select(plimsoll_suites::all(), &args.filter)?;
    let checks = if args.quick { first_of_each_subject(checks) } else { checks };
    let part = |check: &&Check| args.partition.is_none_or(|part| part.takes(&check.id));
    let mut out = io::stdout().lock();
    for check in checks.iter().filter(part) {
        let clauses: Vec<String> =
            check.clauses.iter().map(|clause| format!("{} ({})", clause.id, clause.level)).collect();
        let line = format!("{:<60} {:<8} {}", check.id, check.axis(), clauses.join(", "));
        match writeln!(out, "{line}") {
            // A reader such as `head` may have seen enough.
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            other => other.map_err(Failure::host)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}
