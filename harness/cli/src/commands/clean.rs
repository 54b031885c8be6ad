//! `plimsoll clean`: removes what killed runs have left.

use std::process::ExitCode;

use plimsoll_engine::clean;

use crate::args::Clean;
use crate::shared::failure::Failure;
use crate::shared::output::say;
use crate::shared::requirements;

/// Removes it, or says what would be removed.
pub fn clean(args: &Clean) -> Result<ExitCode, Failure> {
    requirements::has_proc()?;
    let report = clean::clean(args.dry_run).map_err(Failure::host)?;
    let subcommand = if args.dry_run { "would remove" } else { "removed" };
    let paths = report.cgroups.iter().chain(&report.directories).map(|path| path.display().to_string());
    for thing in report.processes.iter().chain(&report.mounts).cloned().chain(paths) {
        say(&format!("{subcommand} {thing}"));
    }
    for (path, why) in &report.undecided {
        say(&format!("not removed: {}: {why}", path.display()));
    }
    if report.is_empty() {
        say("nothing to clean up");
    }
    Ok(ExitCode::SUCCESS)
}
