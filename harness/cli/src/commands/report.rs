//! `plimsoll report`: renders results in any format.

use std::path::PathBuf;
use std::process::ExitCode;

use plimsoll_reports::file::Any;
use plimsoll_reports::format::Documents;

use crate::args::{DisplayOptions, Report};
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, ready};

/// Reads the files and renders them; their verdicts do not matter for the exit code.
pub fn report(args: &Report, display: DisplayOptions) -> Result<ExitCode, Failure> {
    ready(&args.format, [])?;
    let documents = read(&args.files)?;
    // Whoever asks for a report asks for one to be seen.
    let display = DisplayOptions { quiet: !args.format.is_empty(), ..display };
    deliver(&args.format, &documents, display)?;
    Ok(ExitCode::SUCCESS)
}

fn read(files: &[PathBuf]) -> Result<Documents, Failure> {
    let mut documents = Documents::default();
    for path in files {
        match Any::read(path).map_err(Failure::usage)? {
            Any::Report(report) => documents.reports.push(*report),
            Any::Proof(proof) => documents.proofs.push(*proof),
            Any::Benchmark(benchmark) => documents.benchmarks.push(*benchmark),
            Any::Fuzz(fuzz) => documents.searches.push(*fuzz),
        }
    }
    Ok(documents)
}
