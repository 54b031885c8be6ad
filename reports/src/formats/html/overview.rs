//! The summary: one line per run, and the matrix of sections by runtimes.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::untrusted::{Line, anchor};
use crate::matrix::Matrix;
use crate::model::{Check, Report, Verdict};
use crate::tally::Tally;
use crate::text::duration;

/// How each run ended.
pub(super) fn verdicts(matrix: &Matrix<'_>) -> Markup {
    html! {
        ul.runs {
            @for (report, label) in matrix.reports.iter().zip(&matrix.labels) {
                li {
                    (state(report))
                    @if matrix.reports.len() > 1 { strong { (Line(label)) } }
                    span { (report.tally().sentence()) " of " (report.tally().total()) " in " (duration(report.duration_ms as f64)) }
                    @if let Some(reason) = &report.cut_short { p.note { "The run was cut short: " (Line(reason)) } }
                }
            }
        }
    }
}

/// Whether a gate would let the run through.
fn state(report: &Report) -> Markup {
    let red = report.checks.iter().filter(|check| check.is_red()).count();
    let known = report.checks.iter().filter(|check| check.is_known()).count();
    match report.exit_code() {
        0 if known > 0 => {
            html! { span.state.good { "As expected, with " (known) " known " (crate::text::plural(known, "deviation")) } }
        }
        0 => html! { span.state.good { "No unexpected results" } },
        1 => html! { span.state.bad { (red) " unexpected" } },
        3 => html! { span.state.doubtful { "Nothing ran" } },
        _ => html! { span.state.bad { "Incomplete" } },
    }
}

/// The matrix: a row for each section; for one runtime a column for each verdict, for several one for each runtime.
pub(super) fn sections(matrix: &Matrix<'_>) -> Markup {
    let totals: Vec<Tally> = matrix.reports.iter().map(|report| report.tally()).collect();
    let name = |section: &str| html! { a href={ "#" (anchor("section", section)) } { (Line(section)) } };
    html! {
        section aria-labelledby="sections" {
            h2 id="sections" { "Sections of the specification" }
            section.scroll tabindex="0" aria-label="Table of sections" {
                table.matrix {
                    (head(matrix, "Section"))
                    tbody { (rows(&matrix.sections(), name)) }
                    tfoot { tr { th scope="row" { "All" } (row(&totals)) } }
                }
            }
        }
    }
}

/// The same for circumstances, where checks were judged under some.
pub(super) fn circumstances(matrix: &Matrix<'_>) -> Markup {
    let circumstances = matrix.circumstances();
    html! {
        @if !circumstances.is_empty() {
            section aria-labelledby="circumstances" {
                h2 id="circumstances" { "Circumstances" }
                section.scroll tabindex="0" aria-label="Table of circumstances" {
                    table.matrix {
                        (head(matrix, "Circumstance"))
                        tbody { (rows(&circumstances, |name| html! { (Line(name)) })) }
                    }
                }
            }
        }
    }
}

fn head(matrix: &Matrix<'_>, first: &str) -> Markup {
    html! {
        thead { tr {
            th scope="col" { (first) }
            @if matrix.reports.len() == 1 {
                th scope="col" { "Share" }
                th.number scope="col" { "Checks" }
                @for verdict in Verdict::ALL { th.number scope="col" { (verdict.as_str()) } }
            } @else {
                @for label in &matrix.labels { th scope="col" { (Line(label)) } }
            }
        } }
    }
}

fn rows(tallies: &BTreeMap<&str, Vec<Tally>>, name: impl Fn(&str) -> Markup) -> Markup {
    html! {
        @for (first, tallies) in tallies {
            tr { th scope="row" { (name(first)) } (row(tallies)) }
        }
    }
}

fn row(tallies: &[Tally]) -> Markup {
    html! {
        @if let [tally] = tallies {
            td { (bar(tally)) }
            td.number { (tally.total()) }
            @for verdict in Verdict::ALL {
                td.number { @if tally.of(verdict) > 0 { span class={ "v-" (verdict.as_str()) } { (tally.of(verdict)) } } }
            }
        } @else {
            @for tally in tallies {
                td { (bar(tally)) (counts(tally)) }
            }
        }
    }
}

/// The shares of the verdicts. The numbers stand beside it, so it is hidden from those who cannot see it.
fn bar(tally: &Tally) -> Markup {
    let before =
        |verdict| Verdict::ALL.iter().take_while(|one| **one != verdict).map(|one| tally.of(*one)).sum::<usize>();
    html! {
        svg.bar aria-hidden="true" viewBox={ "0 0 " (tally.total()) " 1" } preserveAspectRatio="none" {
            @for verdict in Verdict::ALL {
                @if tally.of(verdict) > 0 {
                    rect class={ "b-" (verdict.as_str()) } x=(before(verdict)) width=(tally.of(verdict)) height="1" {}
                }
            }
        }
    }
}

/// How often there is each verdict, where it is there at all.
pub(super) fn counts(tally: &Tally) -> Markup {
    html! {
        span.tally {
            @for verdict in Verdict::ALL {
                @if tally.of(verdict) > 0 {
                    span class={ "v-" (verdict.as_str()) } { (tally.of(verdict)) " " (verdict.as_str()) }
                }
            }
        }
    }
}

/// A verdict, named and coloured; marked when nobody expected it.
pub(super) fn chip(check: &Check) -> Markup {
    html! {
        span class={ "chip v-" (check.verdict.as_str()) } { (check.verdict.as_str()) }
        @if check.is_known() { span.aside { "known" } } @else if check.is_red() { span.aside.red { "unexpected" } }
    }
}
