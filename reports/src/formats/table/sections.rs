//! Counts of verdicts: a row for each section and a row for all, then one for each circumstance where there are several.

use std::collections::BTreeMap;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table, presets};

use super::Style;
use super::page::Page;
use crate::model::{Report, Verdict};
use crate::tally::Tally;
use crate::text::printable;

/// Puts the table on the page.
pub(super) fn table(page: &mut Page, report: &Report) {
    let mut sections = rows(page.style(), "section", &report.sections());
    sections.add_row(row("total", &report.tally()).into_iter().map(|cell| cell.add_attribute(Attribute::Bold)));
    page.laid_out(&sections.to_string());
    let circumstances = report.circumstances();
    if !circumstances.is_empty() {
        page.laid_out(&rows(page.style(), "circumstance", &circumstances).to_string());
    }
}

fn rows(style: Style, head: &str, tallies: &BTreeMap<&str, Tally>) -> Table {
    let mut table = blank_table(style);
    let columns = [head, "checks"].into_iter().chain(Verdict::ALL.iter().map(|verdict| verdict.as_str()));
    table.set_header(columns.enumerate().map(|(index, name)| aligned(index, name).add_attribute(Attribute::Dim)));
    for (name, tally) in tallies {
        table.add_row(row(&printable(name), tally));
    }
    table
}

/// A table in the style of the page, without rows.
pub(super) fn blank_table(style: Style) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    // Colour and width are the caller's to decide; the library would ask the terminal.
    table.force_no_tty();
    if style.color {
        table.enforce_styling();
    }
    if let Some(width) = style.width {
        table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

fn row(name: &str, tally: &Tally) -> Vec<Cell> {
    let mut row = vec![aligned(0, name), aligned(1, &tally.total().to_string())];
    row.extend(Verdict::ALL.iter().map(|verdict| count(*verdict, tally.of(*verdict))));
    row
}

/// A count, in the colour of its verdict.
fn count(verdict: Verdict, count: usize) -> Cell {
    let text = if count == 0 { String::new() } else { count.to_string() };
    coloured(verdict, &text).set_alignment(CellAlignment::Right)
}

/// Text in the colour of a verdict.
pub(super) fn coloured(verdict: Verdict, text: &str) -> Cell {
    let cell = Cell::new(text);
    match verdict {
        Verdict::Pass => cell.fg(Color::DarkGreen),
        Verdict::Fail | Verdict::Error | Verdict::Timeout => cell.fg(Color::DarkRed),
        Verdict::Warn => cell.fg(Color::DarkYellow),
        Verdict::Skip => cell.add_attribute(Attribute::Dim),
    }
}

/// A number; nothing for 0, since a table of zeros hides the other numbers.
pub(super) fn number(count: u64) -> Cell {
    let text = if count == 0 { String::new() } else { count.to_string() };
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// The text, to the left in the first column and to the right in the others.
pub(super) fn aligned(column: usize, text: &str) -> Cell {
    let alignment = if column == 0 { CellAlignment::Left } else { CellAlignment::Right };
    Cell::new(text).set_alignment(alignment)
}
