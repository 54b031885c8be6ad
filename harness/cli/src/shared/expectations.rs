//! The expectations files of a run.

use std::path::PathBuf;

use plimsoll_reports::expectations::Expectations;
use plimsoll_reports::model::Report;
use plimsoll_suites::renamed;

use crate::shared::failure::Failure;
use crate::shared::output::say;

/// The files of known deviations.
pub struct KnownDeviations(Vec<Expectations>);

impl KnownDeviations {
    /// Reads the files.
    pub fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let read = |path: &PathBuf| Expectations::read(path).map(|file| file.with_former_ids(renamed::former));
        let files: Result<_, _> = files.iter().map(read).collect();
        files.map(Self).map_err(Failure::usage)
    }

    /// Notes in the report what was expected, and warns of entries that have expired and, when the report is of the whole
    /// suite, of those that mean no check.
    pub fn apply(&self, report: &mut Report, whole: bool) {
        for file in &self.0 {
            file.apply(report);
            let unused = if whole { file.unused(report) } else { Vec::new() };
            for note in unused.iter().chain(&file.expired(report)) {
                say(&format!("plimsoll: {note}"));
            }
        }
    }
}
