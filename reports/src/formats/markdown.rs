//! Markdown, for a comment on a pull request or the summary of a job. Nothing longer than such a comment may be is
//! rendered; what is left out is counted. Text of unknown origin stands in code spans, where no mark-up and no mention
//! works.

use std::collections::BTreeMap;

use crate::matrix::{Matrix, Row};
use crate::model::{Check, Report, Verdict};
use crate::tally::Tally;
use crate::text::{duration, printable};

/// The longest comment that GitHub takes is 65 536 characters; a job summary may be longer.
const LIMIT: usize = 60_000;

/// The runs as one page.
#[must_use]
pub fn render(reports: &[Report]) -> String {
    let matrix = Matrix::new(reports);
    let mut page = Page::default();
    page.add(&format!(
        "## Plimsoll: {}\n\n",
        matrix.labels.iter().map(|label| code(label)).collect::<Vec<_>>().join(", ")
    ));
    for (report, label) in matrix.reports.iter().zip(&matrix.labels) {
        page.add(&state(report, label));
    }
    page.add(&sections(&matrix));
    page.add(&circumstances(&matrix));
    let unexpected = |row: &&Row<'_>| row.present().any(Check::is_unexpected);
    page.list("Unexpected", matrix.rows.iter().filter(unexpected).map(|row| entry(&matrix, row)));
    page.list("Where the runtimes differ", matrix.differences().map(|row| difference(&matrix, row)));
    page.list("Known deviations", known(&matrix).into_iter());
    page.text
}

/// The text so far, never longer than the limit.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) text: String,
}

impl Page {
    /// Adds a part that must be there.
    pub(crate) fn add(&mut self, part: &str) {
        self.text.push_str(part);
    }

    /// Adds a folded list, of which it keeps what there is room for.
    pub(crate) fn list(&mut self, title: &str, entries: impl Iterator<Item = String>) {
        let entries: Vec<String> = entries.collect();
        if entries.is_empty() {
            return;
        }
        self.add(&format!("\n<details><summary>{title}: {}</summary>\n\n", entries.len()));
        let room = |text: &str, entry: &str| text.len() + entry.len() < LIMIT;
        let kept = entries.iter().take_while(|entry| {
            let fits = room(&self.text, entry);
            if fits {
                self.text.push_str(entry);
            }
            fits
        });
        let left_out = entries.len() - kept.count();
        if left_out > 0 {
            self.add(&format!("- … {left_out} more in the results\n"));
        }
        self.add("\n</details>\n");
    }
}

fn state(report: &Report, label: &str) -> String {
    let red = report.checks.iter().filter(|check| check.is_unexpected()).count();
    let word = match report.exit_code() {
        0 => "✅ as expected".to_owned(),
        1 => format!("❌ {red} unexpected"),
        3 => "➖ nothing ran".to_owned(),
        _ => "⚠️ incomplete".to_owned(),
    };
    let took = duration(report.duration_ms as f64);
    format!("**{word}** {}: {} in {took}\n\n", code(label), report.tally().sentence())
}

fn sections(matrix: &Matrix<'_>) -> String {
    let all: Vec<Tally> = matrix.reports.iter().map(|report| report.tally()).collect();
    table(matrix, "section", &matrix.sections()) + &format!("| **all** | {} |\n", cells(&all).join(" | "))
}

/// Nothing when all checks are of the plain suite.
fn circumstances(matrix: &Matrix<'_>) -> String {
    let rows = matrix.circumstances();
    if rows.is_empty() { String::new() } else { format!("\n{}", table(matrix, "circumstance", &rows)) }
}

/// For one runtime a column for each verdict, for several one for each runtime.
fn table(matrix: &Matrix<'_>, head: &str, rows: &BTreeMap<&str, Vec<Tally>>) -> String {
    let single = matrix.reports.len() == 1;
    let heads: Vec<String> = match single {
        true => Verdict::ALL.iter().map(|verdict| verdict.to_string()).collect(),
        false => matrix.labels.iter().map(|label| code(label)).collect(),
    };
    let mut table = format!("| {head} | {} |\n|---|{}\n", heads.join(" | "), "---:|".repeat(heads.len()));
    for (name, tallies) in rows {
        table.push_str(&format!("| {} | {} |\n", code(name), cells(tallies).join(" | ")));
    }
    table
}

fn cells(tallies: &[Tally]) -> Vec<String> {
    let count = |count: usize| if count == 0 { String::new() } else { count.to_string() };
    match tallies {
        [tally] => Verdict::ALL.iter().map(|verdict| count(tally.of(*verdict))).collect(),
        several => several.iter().map(Tally::sentence).collect(),
    }
}

fn entry(matrix: &Matrix<'_>, row: &Row<'_>) -> String {
    let mut text = format!("- {}\n", code(row.id));
    for (label, check) in matrix.labels.iter().zip(&row.checks) {
        let Some(check) = check.filter(|check| check.is_unexpected()) else { continue };
        let whose = if matrix.labels.len() > 1 { format!("{} ", code(label)) } else { String::new() };
        text.push_str(&format!("  - {whose}**{}** {}\n", check.verdict, code(&check.headline())));
    }
    let clause = row.present().find_map(|check| check.clauses.first());
    if let Some(clause) = clause {
        text.push_str(&format!("  - {} {}\n", code(&clause.level), link(&clause.id, &clause.link)));
    }
    text
}

fn difference(matrix: &Matrix<'_>, row: &Row<'_>) -> String {
    let verdicts: Vec<String> = matrix
        .labels
        .iter()
        .zip(&row.checks)
        .map(|(label, check)| format!("{} {}", code(label), check.map_or("not run", |check| check.verdict.as_str())))
        .collect();
    format!("- {}: {}\n", code(row.id), verdicts.join(", "))
}

fn known(matrix: &Matrix<'_>) -> Vec<String> {
    let known = |check: &&Check| check.is_known();
    let checks = matrix.reports.iter().flat_map(|report| report.checks.iter().filter(known));
    checks.map(|check| format!("- {} {}\n", code(&check.id), code(&check.expectation()))).collect()
}

/// A link to a clause; the address is ours or that of a file of results, and only a plain one is linked to.
pub(crate) fn link(name: &str, target: &str) -> String {
    let plain = target.starts_with("https://") && target.chars().all(|c| c.is_ascii_graphic() && !"()<>`|".contains(c));
    if plain { format!("[{}]({target})", code(name)) } else { code(name) }
}

/// The text as a code span on one line, which no text can leave. A bar is escaped, since tables split before spans.
pub(crate) fn code(text: &str) -> String {
    let text = printable(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_span() {
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a|b\n# c"), "`a\\|b\\n# c`");
    }

    #[test]
    fn only_plain_addresses_are_linked_to() {
        assert_eq!(link("a", "https://x.example/#b"), "[`a`](https://x.example/#b)");
        assert_eq!(link("a", "https://x.example/)[x](y"), "`a`");
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let mut page = Page::default();
        page.list("Many", (0..10_000).map(|n| format!("- number {n}\n")));
        assert!(page.text.len() < LIMIT + 100);
        assert!(page.text.contains(" more in the results\n"));
    }
}
