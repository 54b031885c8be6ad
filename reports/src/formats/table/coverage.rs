//! The matrix of clauses: counts by section, level and version, then each clause with its checks.

use std::collections::BTreeMap;

use super::Style;
use super::page::{Page, Paint};
use super::sections::{aligned, blank_table, number};
use crate::coverage::{Count, Coverage, Covered};
use crate::text::plural;

const COLUMNS: [&str; 7] = ["", "clauses", "checked", "due", "checked", "reasoned", "open"];

/// The counts of all clauses, and those of them in full that `shown` takes.
#[must_use]
pub fn render(coverage: &Coverage, shown: impl Fn(&Covered) -> bool, style: Style) -> String {
    let mut page = Page::new(style);
    counts(&mut page, "section", &coverage.by(Covered::section));
    counts(&mut page, "level", &coverage.by(|clause| &clause.clause.level));
    counts(&mut page, "since", &coverage.by(|clause| &clause.clause.since));
    coverage
        .clauses
        .iter()
        .chain(&coverage.practice)
        .filter(|clause| shown(clause))
        .for_each(|clause| in_full(&mut page, clause));
    advisory(&mut page, coverage);
    summary(&mut page, coverage);
    page.finish()
}

fn counts(page: &mut Page, what: &str, groups: &BTreeMap<&str, Count>) {
    let mut table = blank_table(page.style());
    let names = COLUMNS.iter().map(|&name| if name.is_empty() { what } else { name });
    table.set_header(names.enumerate().map(|(column, name)| aligned(column, name)));
    for (name, count) in groups {
        let numbers = [count.clauses, count.checked, count.due, count.due_checked, count.due_reasoned, count.open()];
        let cells = numbers.into_iter().map(|count| number(count.try_into().unwrap_or(u64::MAX)));
        table.add_row(std::iter::once(aligned(0, name)).chain(cells));
    }
    page.laid_out(&table.to_string());
}

fn in_full(page: &mut Page, covered: &Covered) {
    let clause = &covered.clause;
    let facts = format!(" {} of the {}, {}, since {}", clause.level, covered.subject, covered.testable, clause.since);
    page.line(0, &[(Paint::Strong, &clause.id), (Paint::Plain, &facts)]);
    page.prose(2, Paint::Plain, &clause.text);
    page.line(2, &[(Paint::Dim, &clause.link)]);
    if let Some(reason) = &covered.unchecked {
        page.prose(2, Paint::Doubtful, &format!("not checked: {reason}"));
    } else if covered.checks.is_empty() {
        let paint = if covered.is_due() { Paint::Bad } else { Paint::Dim };
        page.line(2, &[(paint, "not checked")]);
    }
    for check in &covered.checks {
        page.line(2, &[(Paint::Good, check)]);
    }
}

/// Checks by reason, since one reason often serves several.
fn advisory(page: &mut Page, coverage: &Coverage) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for advised in &coverage.advisory {
        reasons.entry(&advised.why).or_default().push(&advised.check);
    }
    page.blank();
    page.line(0, &[(Paint::Strong, "Checks that only warn although a clause is mandatory, and why")]);
    for (why, checks) in reasons {
        page.prose(0, Paint::Doubtful, why);
        checks.iter().for_each(|check| page.line(2, &[(Paint::Plain, check)]));
    }
}

fn summary(page: &mut Page, coverage: &Coverage) {
    let total = coverage.total();
    let checked = format!("{} of {} clauses of {} are checked", total.checked, total.clauses, coverage.release);
    let due = format!("{} of the {} that a runtime has to keep", total.due_checked, total.due);
    let rest = format!("{} {}, {} open", total.due_reasoned, plural(total.due_reasoned, "reason"), total.open());
    page.blank();
    page.line(0, &[(Paint::Strong, &format!("{checked}; {due} ({rest})"))]);
    let practice = coverage.practice.len();
    page.line(
        0,
        &[(Paint::Plain, &format!("{practice} more of what callers rely on where it is silent (practice.*)"))],
    );
}
