//! Comma-separated values for a spreadsheet, one row per check and runtime.

use std::io::{self, Write};

use ::csv::Writer;

use crate::matrix::Matrix;
use crate::model::bench::Benchmark;
use crate::model::{Check, Report};
use crate::text::printable;

const HEAD: [&str; 12] = [
    "runtime",
    "sha256",
    "check",
    "section",
    "axis",
    "verdict",
    "expected",
    "clauses",
    "levels",
    "duration_ms",
    "reason",
    "finding",
];

/// Puts out the runs as one table with a head.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, reports: &[Report]) -> io::Result<()> {
    let mut out = Writer::from_writer(out);
    out.write_record(HEAD)?;
    for (report, label) in reports.iter().zip(Matrix::new(reports).labels) {
        for check in &report.checks {
            out.write_record(row(report, &label, check).map(|cell| inert(&cell)))?;
        }
    }
    out.flush()
}

fn row(report: &Report, label: &str, check: &Check) -> [String; 12] {
    let joined = |parts: Vec<&str>| parts.join(" ");
    [
        label.to_owned(),
        report.runtime.sha256.clone(),
        check.id.clone(),
        check.section.clone(),
        check.axis.to_string(),
        check.verdict.to_string(),
        check.known.as_ref().map_or("", |known| known.verdict.as_str()).to_owned(),
        joined(check.clauses.iter().map(|clause| clause.id.as_str()).collect()),
        joined(check.clauses.iter().map(|clause| clause.level.as_str()).collect()),
        format!("{:.1}", check.duration_ms),
        check.reason.clone(),
        if check.findings.is_empty() { String::new() } else { check.headline() },
    ]
}

/// What a spreadsheet shows and does not execute: it takes a cell that begins so for a formula.
fn inert(cell: &str) -> String {
    let cell = printable(cell);
    if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.into_owned() }
}

const SAMPLE: [&str; 5] = ["scenario", "subject", "phase", "block", "ms"];

/// Puts out the samples of benchmarks as one table with a head, a row a sample.
///
/// # Errors
/// Those of `out`.
pub fn write_benchmarks(out: &mut dyn Write, benchmarks: &[Benchmark]) -> io::Result<()> {
    let mut out = Writer::from_writer(out);
    out.write_record(SAMPLE)?;
    for scenario in benchmarks.iter().flat_map(|benchmark| &benchmark.scenarios) {
        for measured in &scenario.subjects {
            for phase in &measured.phases {
                let names = [&scenario.name, &measured.subject, &phase.name].map(|name| inert(name));
                for (block, sample) in phase.blocks.iter().zip(&phase.samples_ms) {
                    let figures = [block.to_string(), format!("{sample:.4}")];
                    out.write_record(names.iter().chain(&figures))?;
                }
            }
        }
    }
    out.flush()
}
