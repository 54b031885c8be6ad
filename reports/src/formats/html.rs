//! The report as one self-contained page: it loads nothing, needs no script for reading (a script filters), and follows
//! the reader's choice of light or dark. What a runtime wrote reaches the page only through [`untrusted`].

mod bench;
mod check;
mod clauses;
mod mutants;
mod notable;
mod origin;
mod overview;
mod page;
mod plot;
mod untrusted;

use std::io::{self, Write};

use maud::{Markup, html};

use crate::matrix::Matrix;
use crate::model::Report;
use crate::model::bench::Benchmark;
use crate::model::proof::Proof;
use crate::text::plural;
use page::{framed, put};

/// Puts out the page about these runs, proofs and benchmarks.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, reports: &[Report], proofs: &[Proof], benchmarks: &[Benchmark]) -> io::Result<()> {
    let matrix = Matrix::new(reports);
    let proofs: Vec<mutants::Part<'_>> =
        proofs.iter().enumerate().map(|(at, one)| mutants::Part::new(at, one)).collect();
    let title = title(&matrix, &proofs, benchmarks);
    framed(out, &page::page(&title, &contents(&matrix, &proofs)), |out| {
        if !reports.is_empty() {
            put(out, &runs(&matrix))?;
            clauses::write(out, &matrix)?;
        }
        proofs.iter().try_for_each(|part| put(out, &part.render()))?;
        benchmarks.iter().try_for_each(|one| put(out, &bench::bench(one)))?;
        if reports.is_empty() && proofs.is_empty() { Ok(()) } else { put(out, &origin::origins(reports, &proofs)) }
    })
}

/// What runs came to, before all of their checks.
fn runs(matrix: &Matrix<'_>) -> Markup {
    html! {
        (overview::verdicts(matrix))
        (overview::sections(matrix))
        (overview::circumstances(matrix))
        (notable::unexpected(matrix))
        (notable::differences(matrix))
        (notable::known(matrix))
        (notable::skipped(matrix))
    }
}

fn title(matrix: &Matrix<'_>, proofs: &[mutants::Part<'_>], benchmarks: &[Benchmark]) -> String {
    let measured = benchmarks.iter().flat_map(|one| &one.subjects).map(|subject| subject.name.as_str());
    match (matrix.labels.as_slice(), proofs) {
        ([], []) if benchmarks.is_empty() => "nothing".to_owned(),
        ([], []) => format!("Measured: {}", measured.collect::<Vec<_>>().join(", ")),
        ([], [first, ..]) => format!("Proof with {}", first.name()),
        (labels, _) => labels.join(", "),
    }
}

/// The links at the top of the page.
fn contents(matrix: &Matrix<'_>, proofs: &[mutants::Part<'_>]) -> Markup {
    let unexpected = matrix.rows.iter().filter(|row| notable::is_unexpected(row)).count();
    let differences = matrix.differences().count();
    html! {
        @if !matrix.reports.is_empty() {
            a href="#sections" { "Sections" }
            @if unexpected > 0 { a href="#unexpected" { (unexpected) " unexpected" } }
            @if differences > 0 { a href="#differences" { (differences) " " (plural(differences, "difference")) } }
            a href="#clauses" { "Clauses" }
        }
        @for part in proofs { a href={ "#" (part.anchor()) } { "Mutants" } }
        @if !matrix.reports.is_empty() || !proofs.is_empty() { a href="#origin" { "Host" } }
    }
}
