//! Several runtimes side by side: counts by section, then the checks with different verdicts, then the unexpected ones.

use comfy_table::{Attribute, Cell};

use super::page::{Page, Paint};
use super::sections::{aligned, blank_table, coloured};
use super::{Style, detail, state};
use crate::matrix::{Matrix, Row};
use crate::model::{Check, Report, Verdict};
use crate::text::printable;

/// The runs as text, ending in a line break.
pub(super) fn render(reports: &[Report], style: Style) -> String {
    let matrix = Matrix::new(reports);
    let mut page = Page::new(style);
    sections(&mut page, &matrix);
    differences(&mut page, &matrix);
    for (report, label) in matrix.reports.iter().zip(&matrix.labels) {
        let unexpected: Vec<&Check> = report.checks.iter().filter(|check| check.is_unexpected()).collect();
        if !unexpected.is_empty() {
            page.blank();
            page.line(0, &[(Paint::Strong, "Unexpected results of "), (Paint::Strong, label)]);
        }
        for check in unexpected {
            if style.verbose { detail::full(&mut page, check) } else { detail::brief(&mut page, check) }
        }
    }
    page.blank();
    for (report, label) in matrix.reports.iter().zip(&matrix.labels) {
        state(&mut page, report, label);
    }
    page.finish()
}

/// A row for each section, a column for each runtime: passed of all, and what else there is.
fn sections(page: &mut Page, matrix: &Matrix<'_>) {
    let mut table = blank_table(page.style());
    let heads = ["section"].into_iter().chain(matrix.labels.iter().map(String::as_str));
    table.set_header(heads.map(|name| Cell::new(printable(name)).add_attribute(Attribute::Dim)));
    for (section, tallies) in matrix.sections() {
        let cells = tallies.iter().map(|tally| Cell::new(tally.sentence()));
        table.add_row([aligned(0, &printable(section))].into_iter().chain(cells));
    }
    let totals = matrix.reports.iter().map(|report| Cell::new(report.tally().sentence()));
    let total = [aligned(0, "total")].into_iter().chain(totals);
    table.add_row(total.map(|cell| cell.add_attribute(Attribute::Bold)));
    page.laid_out(&table.to_string());
}

fn differences(page: &mut Page, matrix: &Matrix<'_>) {
    let rows: Vec<&Row<'_>> = matrix.differences().collect();
    if rows.is_empty() {
        return;
    }
    page.blank();
    let share = format!(": {} of {} checks", rows.len(), matrix.rows.len());
    page.line(0, &[(Paint::Strong, "Where the runtimes differ"), (Paint::Plain, &share)]);
    let mut table = blank_table(page.style());
    let heads = ["check"].into_iter().chain(matrix.labels.iter().map(String::as_str));
    table.set_header(heads.map(|name| Cell::new(printable(name)).add_attribute(Attribute::Dim)));
    for row in rows {
        let verdicts = row.checks.iter().map(|check| verdict(*check));
        table.add_row([aligned(0, &printable(row.id))].into_iter().chain(verdicts));
    }
    page.laid_out(&table.to_string());
}

/// The verdict, with a mark where it is one that was expected.
fn verdict(check: Option<&Check>) -> Cell {
    match check {
        None => Cell::new("not run").add_attribute(Attribute::Dim),
        Some(check) if check.is_known() => coloured(Verdict::Skip, &format!("{} (known)", check.verdict)),
        Some(check) => coloured(check.verdict, check.verdict.as_str()),
    }
}
