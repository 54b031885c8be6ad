//! Several runs beside each other: the counts of each section, then the checks on which the runs do not agree.

use comfy_table::{Attribute, Cell};

use super::Style;
use super::page::{Page, Paint};
use super::sections::blank_table;
use crate::matrix::{Matrix, Row};
use crate::model::{Report, Verdict};
use crate::tally::Tally;
use crate::text::printable;

/// The runs side by side as text, ending in a line break.
#[must_use]
pub fn render(reports: &[Report], style: Style) -> String {
    let matrix = Matrix::new(reports);
    let mut page = Page::new(style);
    page.blank();
    counts(&mut page, &matrix);
    let differences: Vec<&Row<'_>> = matrix.differences().collect();
    if !differences.is_empty() {
        page.blank();
        page.line(0, &[(Paint::Strong, "Where they differ")]);
        verdicts(&mut page, &matrix, &differences);
    }
    page.finish()
}

fn counts(page: &mut Page, matrix: &Matrix<'_>) {
    let mut table = blank_table(page.style());
    table.set_header(header("section", matrix));
    for (section, tallies) in matrix.sections() {
        table.add_row(row(&printable(section), tallies.iter().map(text)));
    }
    let totals = matrix.reports.iter().map(|report| match &report.cut_short {
        Some(_) if report.checks.is_empty() => "no answer".to_owned(),
        _ => text(&report.tally()),
    });
    table.add_row(row("total", totals).into_iter().map(|cell| cell.add_attribute(Attribute::Bold)));
    page.laid_out(&table.to_string());
}

fn verdicts(page: &mut Page, matrix: &Matrix<'_>, rows: &[&Row<'_>]) {
    let mut table = blank_table(page.style());
    table.set_header(header("check", matrix));
    for difference in rows {
        let verdict =
            |check: &Option<&crate::model::Check>| check.map_or("", |check| check.verdict.as_str()).to_owned();
        table.add_row(row(&printable(difference.id), difference.checks.iter().map(verdict)));
    }
    page.laid_out(&table.to_string());
}

fn header(first: &str, matrix: &Matrix<'_>) -> Vec<Cell> {
    let labels = matrix.labels.iter().map(|label| printable(label).into_owned());
    row(first, labels).into_iter().map(|cell| cell.add_attribute(Attribute::Dim)).collect()
}

fn row(first: &str, rest: impl Iterator<Item = String>) -> Vec<Cell> {
    [Cell::new(first)].into_iter().chain(rest.map(Cell::new)).collect()
}

/// `108 pass, 29 fail, 6 warn`.
fn text(tally: &Tally) -> String {
    let some = Verdict::ALL.iter().filter(|verdict| tally.of(**verdict) > 0);
    some.map(|verdict| format!("{} {verdict}", tally.of(*verdict))).collect::<Vec<_>>().join(", ")
}
