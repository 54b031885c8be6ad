//! `plimsoll clean`: removes what killed runs have left.

use std::process::ExitCode;

use plimsoll_engine::clean;
use plimsoll_reports::text::printable;

use crate::args::Clean;
use crate::failure::Failure;

/// Removes it, or says what would be removed.
pub fn clean(args: &Clean) -> Result<ExitCode, Failure> {
    let report = clean::clean(args.dry_run).map_err(Failure::host)?;
    let verb = if args.dry_run { "would remove" } else { "removed" };
    let paths = report.cgroups.iter().chain(&report.directories).map(|path| path.display().to_string());
    for thing in report.processes.iter().chain(&report.mounts).cloned().chain(paths) {
        eprintln!("{verb} {}", printable(&thing));
    }
    for (path, why) in &report.undecided {
        eprintln!("left alone {}: {}", printable(&path.display().to_string()), printable(why));
    }
    if report.is_empty() {
        eprintln!("nothing to clean: no killed run has left anything");
    }
    Ok(ExitCode::SUCCESS)
}
