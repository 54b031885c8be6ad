//! `plimsoll merge`: merges the results of a partitioned run.

use std::process::ExitCode;

use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::merge::merge as merged;
use plimsoll_reports::model::Report;

use crate::args::{DisplayOptions, Merge};
use crate::shared::expectations::KnownDeviations;
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, every, ready};

/// Writes the whole and shows it; the exit code is that of the whole run.
pub fn merge(args: &Merge, display: DisplayOptions) -> Result<ExitCode, Failure> {
    ready(&args.format, [args.output.as_path()])?;
    let known = KnownDeviations::read(&args.expect)?;
    let mut parts = Vec::new();
    for path in &args.files {
        parts.push((path.display().to_string(), Report::read(path).map_err(Failure::usage)?));
    }
    let mut report = merged(&parts).map_err(Failure::Usage)?;
    known.apply(&mut report, false);
    let written = report.write(&args.output).map_err(Failure::host);
    let code = report.exit_code();
    let shown = deliver(&args.format, &Documents { reports: vec![report], ..Documents::default() }, display);
    every([written, shown])?;
    Ok(ExitCode::from(code))
}
