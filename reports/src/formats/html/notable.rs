//! Unexpected verdicts, differences between runtimes, known deviations, and why checks did not run.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::overview::chip;
use super::untrusted::{Line, Link, anchor};
use crate::matrix::{Matrix, Row};
use crate::model::{Check, Verdict};
use crate::text::{clip, plural};

/// How much of a finding is shown in a list; the check itself has all of it.
const BRIEF: usize = 160;

/// Whether some run has this check red, or could not tell.
pub(super) fn is_unexpected(row: &Row<'_>) -> bool {
    row.present().any(Check::is_unexpected)
}

/// What turns a gate red, with links to the checks.
pub(super) fn unexpected(matrix: &Matrix<'_>) -> Markup {
    let rows: Vec<&Row<'_>> = matrix.rows.iter().filter(|row| is_unexpected(row)).collect();
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="unexpected" {
                h2 id="unexpected" { "Unexpected" }
                (listed(rows.iter().map(|row| entry(matrix, row))))
            }
        }
    }
}

/// A list that starts closed when it is long.
fn listed(entries: impl ExactSizeIterator<Item = Markup>) -> Markup {
    let count = entries.len();
    html! {
        details open[count <= 30] {
            summary { (count) " " (plural(count, "check")) }
            ul.entries { @for entry in entries { (entry) } }
        }
    }
}

fn entry(matrix: &Matrix<'_>, row: &Row<'_>) -> Markup {
    html! {
        li {
            a href={ "#" (anchor("check", row.id)) } { code { (Line(row.id)) } }
            @for (label, check) in matrix.labels.iter().zip(&row.checks) {
                @if let Some(check) = check.filter(|check| check.is_unexpected()) {
                    div.brief {
                        (chip(check))
                        @if matrix.labels.len() > 1 { strong { (Line(label)) } }
                        (brief(check))
                    }
                }
            }
        }
    }
}

/// The first finding on one line, or the reason.
fn brief(check: &Check) -> Markup {
    let short = |text: &str| clip(text, BRIEF, 1).head.to_owned();
    html! {
        @match (check.findings.as_slice(), check.known.as_ref()) {
            ([], Some(known)) if check.reason.is_empty() => span { "expected " (known.verdict) ": " (Line(&known.reason)) },
            ([], _) => span { (Line(&short(&check.reason))) },
            ([first, ..], _) => span {
                (Line(&short(&first.what))) ": expected " q { (Line(&short(&first.expected))) }
                ", observed " q { (Line(&short(&first.observed))) }
            },
        }
    }
}

/// The checks on which the runtimes do not agree.
pub(super) fn differences(matrix: &Matrix<'_>) -> Markup {
    let rows: Vec<&Row<'_>> = matrix.differences().collect();
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="differences" {
                h2 id="differences" { "Where the runtimes differ" }
                details open[rows.len() <= 60] {
                    summary { (rows.len()) " of " (matrix.rows.len()) " checks" }
                    section.scroll tabindex="0" aria-label="Table of differences" {
                        table.matrix {
                            thead { tr {
                                th scope="col" { "Check" }
                                @for label in &matrix.labels { th scope="col" { (Line(label)) } }
                            } }
                            tbody { @for row in rows { tr {
                                th scope="row" { a href={ "#" (anchor("check", row.id)) } { code { (Line(row.id)) } } }
                                @for check in &row.checks {
                                    td { @if let Some(check) = check { (chip(check)) } @else { span.aside { "not run" } } }
                                }
                            } } }
                        }
                    }
                }
            }
        }
    }
}

/// The deviations that are as expected, by what was said of them.
pub(super) fn known(matrix: &Matrix<'_>) -> Markup {
    let mut reasons: BTreeMap<(usize, &str, &str), Vec<&Check>> = BTreeMap::new();
    for (column, report) in matrix.reports.iter().enumerate() {
        for check in report.checks.iter().filter(|check| check.is_known()) {
            let Some(known) = &check.known else { continue };
            reasons.entry((column, &known.reason, &known.link)).or_default().push(check);
        }
    }
    html! {
        @if !reasons.is_empty() {
            section aria-labelledby="known" {
                h2 id="known" { "Known deviations" }
                @for ((column, reason, link), checks) in &reasons {
                    details {
                        summary {
                            @if matrix.labels.len() > 1 { strong { (Line(&matrix.labels[*column])) } " " }
                            (Line(reason)) " (" (checks.len()) ")"
                        }
                        @if !link.is_empty() { p { (Link(link)) } }
                        ul.entries { @for check in checks { li {
                            (chip(check)) a href={ "#" (anchor("check", &check.id)) } { code { (Line(&check.id)) } }
                        } } }
                    }
                }
            }
        }
    }
}

/// Why checks did not run: a user acts on reasons and not on checks.
pub(super) fn skipped(matrix: &Matrix<'_>) -> Markup {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in matrix.rows.iter().flat_map(Row::present).filter(|check| check.verdict == Verdict::Skip) {
        let ids = reasons.entry(&check.reason).or_default();
        if ids.last() != Some(&check.id.as_str()) {
            ids.push(&check.id);
        }
    }
    html! {
        @if !reasons.is_empty() {
            section aria-labelledby="skipped" {
                h2 id="skipped" { "Not run" }
                @for (reason, ids) in &reasons {
                    details {
                        summary {
                            @if reason.is_empty() { "no reason given" } @else { (Line(reason)) }
                            " (" (ids.len()) ")"
                        }
                        ul.entries { @for id in ids { li {
                            a href={ "#" (anchor("check", id)) } { code { (Line(id)) } }
                        } } }
                    }
                }
            }
        }
    }
}
