//! The formats by name, and what each of them can tell.

use std::fmt;
use std::str::FromStr;

use crate::html;
use crate::model::Report;
use crate::model::proof::Proof;
use crate::table::{self, Style};

/// A form in which runs and proofs are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal.
    Table,
    /// One self-contained page.
    Html,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 2] = [Format::Table, Format::Html];

    /// The name, as users write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Table => "table",
            Format::Html => "html",
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
}

/// The documents in this format. `style` is for the terminal alone.
///
/// # Errors
/// When the format cannot tell these documents; the text says which it can.
pub fn render(format: Format, documents: &Documents, style: Style) -> Result<String, String> {
    let Documents { reports, proofs } = documents;
    Ok(match format {
        Format::Table => {
            let reports = reports.iter().map(|report| table::render(report, style));
            let proofs = proofs.iter().map(|proof| table::proof::render(proof, style));
            let beside = (documents.reports.len() > 1).then(|| table::side_by_side::render(&documents.reports, style));
            reports.chain(proofs).chain(beside).collect()
        }
        Format::Html => html::render(reports, proofs),
    })
}
