//! One check in each run: the findings, the clauses, and how to run it again.

use maud::{Markup, html};

use super::overview::chip;
use super::untrusted::{Line, Lines, Link, anchor};
use crate::matrix::{Matrix, Row};
use crate::model::{Call, Check, Evidence, Finding};
use crate::text::duration;

/// The check as an item of a list; one that passed everywhere has nothing to unfold.
pub(super) fn item(matrix: &Matrix<'_>, row: &Row<'_>) -> Markup {
    let verdicts: Vec<&str> = row.present().map(|check| check.verdict.as_str()).collect();
    let unexpected = super::notable::is_unexpected(row);
    let telling = row.present().any(has_more);
    html! {
        li.check id=(anchor("check", row.id)) data-id=(Line(row.id)) data-verdicts=(verdicts.join(" "))
            data-axis=[row.present().next().map(|check| check.axis.as_str())]
            data-unexpected[unexpected] data-differs[row.differs()]
        {
            @if telling {
                details {
                    summary { (line(matrix, row)) }
                    @for (label, check) in matrix.labels.iter().zip(&row.checks) {
                        @if let Some(check) = check.filter(|check| has_more(check)) {
                            @if matrix.labels.len() > 1 { h4 { (Line(label)) } }
                            (body(check))
                        }
                    }
                }
            } @else { (line(matrix, row)) }
        }
    }
}

fn has_more(check: &Check) -> bool {
    !check.findings.is_empty() || !check.reason.is_empty() || check.evidence.is_some() || check.known.is_some()
}

fn line(matrix: &Matrix<'_>, row: &Row<'_>) -> Markup {
    let single = matrix.labels.len() == 1;
    html! {
        @if single { @for check in row.present() { (chip(check)) } }
        code.id { (Line(row.id)) }
        @for check in row.present().take(1).filter(|check| check.axis != crate::model::Axis::Spec) {
            span.aside { (check.axis) }
        }
        @if single {
            @for check in row.present() { span.took { (duration(check.duration_ms)) } }
        } @else {
            span.verdicts {
                @for (label, check) in matrix.labels.iter().zip(&row.checks) {
                    @if let Some(check) = check { span { (chip(check)) " " (Line(label)) } }
                }
            }
        }
    }
}

fn body(check: &Check) -> Markup {
    html! {
        @if !check.reason.is_empty() { p { (Line(&check.reason)) } }
        @if let Some(known) = &check.known {
            p.note {
                "Expected: " strong { (known.verdict) } ", " (Line(&known.reason))
                @if !known.link.is_empty() { " (" (Link(&known.link)) ")" }
            }
        }
        @for finding in &check.findings { (described(finding)) }
        @if let Some(evidence) = &check.evidence { (seen(evidence)) }
    }
}

fn described(finding: &Finding) -> Markup {
    html! {
        dl.finding {
            dt { "what" } dd { (Lines(&finding.what)) }
            dt { "expected" } dd { pre { (Lines(&finding.expected)) } }
            dt { "observed" } dd {
                @if finding.observed.is_empty() { span.aside { "nothing" } } @else { pre { (Lines(&finding.observed)) } }
            }
        }
    }
}

fn seen(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.calls.is_empty() {
            details {
                summary { "Calls of the runtime (" (evidence.calls.len()) ")" }
                ol.calls { @for made in &evidence.calls { li { (call(made)) } } }
            }
        }
        @for (name, config) in &evidence.configs {
            details {
                summary { "Configuration of " code { (Line(name)) } }
                pre tabindex="0" { (Lines(&config.pretty())) }
            }
        }
        @if let Some(kept) = &evidence.kept { p { "Artifacts in " code { (Line(kept)) } } }
        p.replay { "Run it again: " code { (Line(&evidence.replay)) } }
    }
}

fn call(call: &Call) -> Markup {
    html! {
        code { (Line(&call.command)) }
        " → " strong { (Line(&call.ended)) } " "
        span.took { (duration(call.duration_ms)) }
        @for (name, text) in [("standard output", call.stdout.raw()), ("standard error", call.stderr.raw())] {
            @if !text.is_empty() {
                p.aside { (name) }
                pre tabindex="0" { (Lines(text)) }
            }
        }
    }
}
