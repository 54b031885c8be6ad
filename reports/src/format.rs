//! The formats by name, and what each of them can tell.

use std::fmt;
use std::str::FromStr;

use crate::model::Report;
use crate::model::bench::Benchmark;
use crate::model::fuzz::Fuzz;
use crate::model::proof::Proof;
use crate::table::{self, Style};
use crate::{badge, baseline, csv, github, html, junit, markdown, oci, sarif, tap};

/// A form in which runs and proofs are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal.
    Table,
    /// One self-contained page.
    Html,
    /// For a comment on a pull request or the summary of a job.
    Markdown,
    /// JUnit XML.
    Junit,
    /// TAP 14.
    Tap,
    /// Annotations in the log of a job of GitHub Actions.
    Github,
    /// Comma-separated values.
    Csv,
    /// The JSON of a badge of shields.io.
    Badge,
    /// SARIF 2.1.0, the security axis alone.
    Sarif,
    /// A folder with the files that a conformance programme of the OCI asks for.
    Oci,
    /// The mutants that a proof saw killed, one a line: what a later proof is held to.
    Killed,
}

/// A rendered report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// One text.
    Text(String),
    /// Files of one folder, by name.
    Folder(Vec<(&'static str, String)>),
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 11] = [
        Format::Table,
        Format::Html,
        Format::Markdown,
        Format::Junit,
        Format::Tap,
        Format::Github,
        Format::Csv,
        Format::Badge,
        Format::Sarif,
        Format::Oci,
        Format::Killed,
    ];

    /// The name, as users write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Html => "html",
            Format::Markdown => "markdown",
            Format::Junit => "junit",
            Format::Tap => "tap",
            Format::Github => "github",
            Format::Csv => "csv",
            Format::Badge => "badge",
            Format::Sarif => "sarif",
            Format::Oci => "oci",
            Format::Killed => "killed",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = || Format::ALL.map(Format::as_str).join(", ");
        let found = Format::ALL.into_iter().find(|format| format.as_str() == name);
        found.ok_or_else(|| format!("there is no format {name:?}; there are {}", known()))
    }
}

/// What there is to show.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Runs, in the order in which they stand side by side.
    pub reports: Vec<Report>,
    /// Proofs.
    pub proofs: Vec<Proof>,
    /// Benchmarks and traces.
    pub benchmarks: Vec<Benchmark>,
    /// Searches with random cases.
    pub searches: Vec<Fuzz>,
}

/// The documents in this format. `style` is for the terminal alone.
///
/// # Errors
/// When the format cannot tell these documents; the text says which it can.
pub fn render(format: Format, documents: &Documents, style: Style) -> Result<Rendered, String> {
    let Documents { reports, proofs, benchmarks, searches } = documents;
    if !searches.is_empty() && format != Format::Table {
        return Err(format!("the format {format} tells nothing of a search with random cases; table does"));
    }
    if !benchmarks.is_empty() && !matches!(format, Format::Table | Format::Html | Format::Csv) {
        return Err(format!("the format {format} tells nothing of a benchmark; table, html and csv do"));
    }
    if !proofs.is_empty() && !matches!(format, Format::Table | Format::Html | Format::Killed) {
        return Err(format!("the format {format} tells nothing of a proof; table, html and killed do"));
    }
    let single = || match reports.as_slice() {
        [report] => Ok(report),
        several => Err(format!("the format {format} tells of one run, and these are {}", several.len())),
    };
    let text = match format {
        Format::Table => table::documents(documents, style),
        Format::Html => html::render(reports, proofs, benchmarks),
        Format::Markdown => markdown::render(reports),
        Format::Junit => junit::render(reports),
        Format::Tap => tap::render(reports),
        Format::Github => github::render(reports),
        Format::Csv if benchmarks.is_empty() => csv::render(reports),
        Format::Csv if reports.is_empty() => csv::benchmarks(benchmarks),
        Format::Csv => return Err("runs and benchmarks have no columns in common; ask for one csv of each".to_owned()),
        Format::Badge => badge::render(single()?),
        Format::Sarif => sarif::render(reports),
        Format::Oci => return Ok(Rendered::Folder(oci::render(single()?).into())),
        Format::Killed => match proofs.as_slice() {
            [proof] => baseline::render(proof),
            _ => return Err(format!("the format {format} tells of one proof, and these are {}", proofs.len())),
        },
    };
    Ok(Rendered::Text(text))
}
