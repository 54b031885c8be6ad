//! The report for a terminal: what was tested and where, counts by section, why checks were skipped, then each finding with its clause and
//! the command that replays it, and a summary line.
//!
//! `page` is the only way to the output, and it escapes all text.

pub(crate) mod bench;
mod bench_more;
pub mod coverage;
mod detail;
pub mod fuzz;
mod head;
mod page;
pub mod proof;
mod sections;
mod side_by_side;

use std::collections::BTreeMap;

use crate::format::Documents;
use crate::model::{Check, Report, Verdict};
use crate::text::{duration, plural};
use head::Origin;
use page::{Page, Paint};

/// How to print a report. The default suits a file: no colour, no limit of width, long values cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether to use the escape codes for colour. Whoever sets it has already looked at `NO_COLOR`.
    pub color: bool,
    /// Columns of the terminal; prose is not broken and the table not squeezed when it is unknown.
    pub width: Option<u16>,
    /// Also lists what passed, names the skipped checks, and cuts nothing short.
    pub verbose: bool,
}

/// Runs and proofs as text: one run in full, several side by side.
#[must_use]
pub fn documents(documents: &Documents, style: Style) -> String {
    let runs = match documents.reports.as_slice() {
        [] => String::new(),
        [report] => render(report, style),
        several => side_by_side::render(several, style),
    };
    let proofs = documents.proofs.iter().fold(runs, |text, one| text + &proof::render(one, style));
    let measured = documents.benchmarks.iter().fold(proofs, |text, one| text + &bench::render(one, style));
    documents.searches.iter().fold(measured, |text, one| text + &fuzz::render(one, style))
}

/// The whole report as text, ending in a line break.
pub fn render(report: &Report, style: Style) -> String {
    let mut page = Page::new(style);
    head::head(&mut page, &Origin::from(report));
    sections::table(&mut page, report);
    if style.verbose {
        passed(&mut page, report);
    }
    skipped(&mut page, report);
    known(&mut page, report);
    for verdict in [Verdict::Fail, Verdict::Timeout, Verdict::Error, Verdict::Pass, Verdict::Warn] {
        with(report, verdict).filter(|check| check.is_unexpected()).for_each(|check| detail::full(&mut page, check));
    }
    for check in with(report, Verdict::Warn).filter(|check| !check.is_known() && !check.is_unexpected()) {
        if style.verbose { detail::full(&mut page, check) } else { detail::brief(&mut page, check) }
    }
    summary(&mut page, report);
    page.finish()
}

fn with(report: &Report, verdict: Verdict) -> impl Iterator<Item = &Check> {
    report.checks.iter().filter(move |check| check.verdict == verdict)
}

fn passed(page: &mut Page, report: &Report) {
    if report.tally().pass > 0 {
        page.blank();
    }
    for check in with(report, Verdict::Pass) {
        let took = duration(check.duration_ms);
        page.line(0, &[(Paint::Good, "PASS "), (Paint::Plain, &check.id), (Paint::Dim, &format!(" ({took})"))]);
    }
}

/// One line for each reason, the most frequent first: a user acts on reasons and not on checks.
fn skipped(page: &mut Page, report: &Report) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in with(report, Verdict::Skip) {
        reasons.entry(&check.reason).or_default().push(&check.id);
    }
    if reasons.is_empty() {
        return;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, ids)| std::cmp::Reverse(ids.len()));
    page.blank();
    page.line(0, &[(Paint::Strong, "Skipped")]);
    for (reason, ids) in reasons {
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        page.prose(2, Paint::Plain, &format!("{} × {reason}", ids.len()));
        if page.style().verbose {
            ids.iter().for_each(|id| page.line(6, &[(Paint::Dim, id)]));
        }
    }
}

/// One line for each deviation that was expected.
fn known(page: &mut Page, report: &Report) {
    let known: Vec<&Check> = report.checks.iter().filter(|check| check.is_known()).collect();
    if known.is_empty() {
        return;
    }
    page.blank();
    page.line(0, &[(Paint::Strong, "Known deviations")]);
    for check in known {
        let verdict = format!("{:<8}", check.verdict);
        page.line(2, &[(Paint::Doubtful, &verdict), (Paint::Plain, &check.id)]);
        let note = check.known.iter().flat_map(|known| [&known.reason, &known.link]).filter(|text| !text.is_empty());
        note.for_each(|text| page.prose(10, Paint::Dim, text));
        if page.style().verbose {
            detail::full(page, check);
        }
    }
}

fn summary(page: &mut Page, report: &Report) {
    page.blank();
    if let Some(reason) = &report.cut_short {
        page.line(0, &[(Paint::Bad, "The run was cut short: "), (Paint::Plain, reason)]);
    }
    state(page, report, &report.runtime.name());
}

/// What a run came to, in one line.
fn state(page: &mut Page, report: &Report, name: &str) {
    let paint = match report.exit_code() {
        0 => Paint::Good,
        3 => Paint::Doubtful,
        _ => Paint::Bad,
    };
    let counts = format!(": {}{}", report.tally().sentence(), expected(report));
    let took = format!(" in {}", duration(report.duration_ms as f64));
    page.line(0, &[(Paint::Strong, name), (paint, &counts), (Paint::Plain, &took)]);
}

/// ` (12 deviations as expected, 1 unexpected verdict)`, and nothing when nothing was expected.
fn expected(report: &Report) -> String {
    let count = |is: fn(&Check) -> bool| report.checks.iter().filter(|check| is(check)).count();
    let known = match count(Check::is_known) {
        0 => return String::new(),
        known => format!("{known} {} as expected", plural(known, "deviation")),
    };
    match count(Check::is_red) {
        0 => format!(" ({known})"),
        red => format!(" ({known}, {red} unexpected {})", plural(red, "verdict")),
    }
}
