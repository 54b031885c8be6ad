//! The whole suite, clause by clause. A check that cites several clauses is shown in full below the first of them and listed below the
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use maud::{Markup, html};

use super::check;
use super::overview::counts;
use super::page::{GAP, framed, put};
use super::untrusted::{Line, Link, anchor};
use crate::matrix::{Matrix, Row};
use crate::model::{Axis, Clause, Verdict};

/// What a section holds: its clauses by id, each with the checks that rest on it.
type Section<'m, 'a> = BTreeMap<&'a str, Cited<'m, 'a>>;

/// A clause and the checks that rest on it.
struct Cited<'m, 'a> {
    /// None for checks that cite no clause, as some of the other axes do.
    clause: Option<&'a Clause>,
    /// Told in full here.
    told: Vec<&'m Row<'a>>,
    /// Told below another clause.
    elsewhere: Vec<&'m Row<'a>>,
}

impl<'m, 'a> Cited<'m, 'a> {
    fn new(clause: Option<&'a Clause>) -> Self {
        Self { clause, told: Vec::new(), elsewhere: Vec::new() }
    }

    fn rows(&self) -> impl Iterator<Item = &'m Row<'a>> {
        self.told.iter().chain(&self.elsewhere).copied()
    }
}

/// The checks of each section below the clauses that they cite.
fn gathered<'m, 'a>(matrix: &'m Matrix<'a>) -> BTreeMap<&'a str, Section<'m, 'a>> {
    let mut sections: BTreeMap<&str, Section<'_, '_>> = BTreeMap::new();
    for row in &matrix.rows {
        let Some(check) = row.present().next() else { continue };
        let section = sections.entry(&check.section).or_default();
        match check.clauses.split_first() {
            None => section.entry("").or_insert_with(|| Cited::new(None)).told.push(row),
            Some((first, others)) => {
                section.entry(&first.id).or_insert_with(|| Cited::new(Some(first))).told.push(row);
                for clause in others {
                    section.entry(&clause.id).or_insert_with(|| Cited::new(Some(clause))).elsewhere.push(row);
                }
            }
        }
    }
    sections
}

/// Puts out all sections, and what filters them. This is nearly all of a page, so each check is put out when it is done.
pub(super) fn write(out: &mut dyn Write, matrix: &Matrix<'_>) -> io::Result<()> {
    let frame = html! {
        section aria-labelledby="clauses" {
            h2 id="clauses" { "Clause by clause" }
            (filter(matrix))
            (GAP)
        }
    };
    framed(out, &frame, |out| {
        gathered(matrix).iter().try_for_each(|(name, clauses)| section(out, matrix, name, clauses))
    })
}

fn section(out: &mut dyn Write, matrix: &Matrix<'_>, name: &str, clauses: &Section<'_, '_>) -> io::Result<()> {
    let frame = html! {
        details.section id=(anchor("section", name)) {
            summary { h3 { (Line(name)) } (tallies(clauses.values().flat_map(|cited| &cited.told).copied())) }
            (GAP)
        }
    };
    framed(out, &frame, |out| clauses.values().try_for_each(|cited| one(out, matrix, cited)))
}

fn one(out: &mut dyn Write, matrix: &Matrix<'_>, cited: &Cited<'_, '_>) -> io::Result<()> {
    let frame = html! {
        details.clause data-level=[cited.clause.map(|clause| Line(&clause.level))] {
            summary {
                @match cited.clause {
                    Some(clause) => { span.level { (Line(&clause.level)) } code.id { (Line(&clause.id)) } },
                    None => span { "Beyond the specification" },
                }
                (tallies(cited.rows()))
            }
            @if let Some(clause) = cited.clause {
                p { (Line(&clause.text)) }
                p.aside { "Since " (Line(&clause.since)) ": " (Link(&clause.link)) }
            }
            ul.checks { (GAP) }
            @if !cited.elsewhere.is_empty() {
                p.aside { "These checks cite it too, and are listed under another clause:" }
                ul.entries { @for row in &cited.elsewhere { li {
                    span class={ "chip v-" (row.worst().as_str()) } { (row.worst().as_str()) }
                    a href={ "#" (anchor("check", row.id)) } { code { (Line(row.id)) } }
                } } }
            }
        }
    };
    framed(out, &frame, |out| cited.told.iter().try_for_each(|row| put(out, &check::item(matrix, row))))
}

/// What the worst of each check came to.
fn tallies<'r, 'a: 'r>(rows: impl Iterator<Item = &'r Row<'a>>) -> Markup {
    counts(&rows.map(Row::worst).collect())
}

/// Hidden until the script is there to serve it.
fn filter(matrix: &Matrix<'_>) -> Markup {
    let several = matrix.reports.len() > 1;
    let clauses = matrix.rows.iter().flat_map(Row::present).flat_map(|check| &check.clauses);
    let levels: BTreeSet<&str> = clauses.map(|clause| clause.level.as_str()).collect();
    html! {
        form.filter id="filter" hidden {
            label.text { "Name or clause" input type="search" name="text" placeholder="mounts, seccomp, …" autocomplete="off"; }
            fieldset {
                legend { "Verdict" }
                @for verdict in Verdict::ALL {
                    label { input type="checkbox" name="verdict" value=(verdict.as_str()); (verdict.as_str()) }
                }
            }
            fieldset {
                legend { "Only" }
                label { input type="checkbox" name="unexpected"; "unexpected" }
                @if several { label { input type="checkbox" name="differs"; "differences" } }
            }
            label { "Axis" select name="axis" {
                option value="" { "all" }
                @for axis in Axis::ALL { option { (axis.as_str()) } }
            } }
            label { "Level" select name="level" {
                option value="" { "all" }
                @for level in levels { option { (Line(level)) } }
            } }
            span.buttons { button type="submit" { "Filter" } button type="reset" { "Clear" } }
            output name="count" aria-live="polite" {}
        }
    }
}
