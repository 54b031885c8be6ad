//! The formats by name, and which documents each can show.

use std::fmt;
use std::io::{self, Write};
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
#[derive(Debug)]
pub enum Rendered<'a> {
    /// One text.
    Text(Text<'a>),
    /// Files of one folder, by name.
    Folder(Vec<(&'static str, Text<'a>)>),
}

/// A text that is put out bit by bit, since it can be larger than what it tells of. Nothing of it is made before.
pub struct Text<'a>(Box<Put<'a>>);

type Put<'a> = dyn Fn(&mut dyn Write) -> io::Result<()> + 'a;

impl fmt::Debug for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Text")
    }
}

impl<'a> Text<'a> {
    /// The text that `put` puts out.
    pub(crate) fn new(put: impl Fn(&mut dyn Write) -> io::Result<()> + 'a) -> Self {
        Self(Box::new(put))
    }

    /// The text that is what `make` makes.
    fn whole(make: impl Fn() -> String + 'a) -> Self {
        Self::new(move |out| out.write_all(make().as_bytes()))
    }

    /// Puts it out, in many small pieces.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        (self.0)(out)
    }

    /// All of it.
    ///
    /// # Panics
    /// When it is not UTF-8, which no format writes.
    #[must_use]
    pub fn into_string(self) -> String {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes).unwrap_or_else(|why| unreachable!("writing to memory failed: {why}"));
        String::from_utf8(bytes).unwrap_or_else(|why| unreachable!("every format is UTF-8: {why}"))
    }
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
pub fn render(format: Format, documents: &Documents, style: Style) -> Result<Rendered<'_>, String> {
    let Documents { reports, proofs, benchmarks, searches } = documents;
    if !searches.is_empty() && format != Format::Table {
        return Err(format!("the format {format} cannot show random searches; use table"));
    }
    if !benchmarks.is_empty() && !matches!(format, Format::Table | Format::Html | Format::Csv) {
        return Err(format!("the format {format} cannot show benchmarks; use table, html or csv"));
    }
    if !proofs.is_empty() && !matches!(format, Format::Table | Format::Html | Format::Killed) {
        return Err(format!("the format {format} cannot show proofs; use table, html or killed"));
    }
    let single = || match reports.as_slice() {
        [report] => Ok(report),
        several => Err(format!("the format {format} shows a single run, not {}", several.len())),
    };
    Ok(Rendered::Text(match format {
        Format::Table => Text::whole(move || table::documents(documents, style)),
        Format::Html => Text::new(|out| html::write(out, reports, proofs, benchmarks)),
        Format::Markdown => Text::whole(|| markdown::render(reports)),
        Format::Junit => Text::new(|out| junit::write(out, reports)),
        Format::Tap => Text::whole(|| tap::render(reports)),
        Format::Github => Text::whole(|| github::render(reports)),
        Format::Csv if benchmarks.is_empty() => Text::new(|out| csv::write(out, reports)),
        Format::Csv if reports.is_empty() => Text::new(|out| csv::write_benchmarks(out, benchmarks)),
        Format::Csv => {
            return Err("runs and benchmarks have different columns; render them as csv separately".to_owned());
        }
        Format::Badge => single().map(|report| Text::whole(|| badge::render(report)))?,
        Format::Sarif => Text::whole(|| sarif::render(reports)),
        Format::Oci => return Ok(Rendered::Folder(oci::files(single()?).into())),
        Format::Killed => match proofs.as_slice() {
            [proof] => Text::whole(|| baseline::render(proof)),
            _ => return Err(format!("the format {format} shows a single proof, not {}", proofs.len())),
        },
    }))
}
