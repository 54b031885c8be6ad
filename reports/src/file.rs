//! `results.json` and `proof.json` on disk. They are written atomically, and read only if the schema is known.

mod checks;
mod writing;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use plimsoll_foreign::read as foreign;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::bench::{self, Benchmark};
use crate::model::fuzz::{self, Fuzz};
use crate::model::proof::{self, Proof};
use crate::model::{self, Report, Verdict};

pub use writing::{WriteError, can_write, write_text, write_with};

/// Why a document was not read. The cause is in `source`, so print the chain.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("read the {what} in {path:?}")]
    Io {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file is not JSON, ends too early, or lacks a member; the cause names line and column.
    #[error("parse {path:?}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// The file was written by a version whose results we would misread.
    #[error("{path:?} holds {what} of schema {found:?}, and this version reads {known:?}")]
    Schema {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The schema version that it names.
        found: String,
        /// The schema version that we know.
        known: &'static str,
    },
    /// The file was not written by a program of ours, or was changed since.
    #[error("{path:?} contradicts itself: {why}")]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// The place, and what is wrong there.
        why: String,
    },
    /// The file holds another kind of document.
    #[error("{path:?} holds {found}, not {what}")]
    Kind {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
}

/// The members that are read before the others, since they say how to read them.
#[derive(Deserialize)]
struct Head {
    schema: String,
    /// Results have none.
    #[serde(default = "results")]
    kind: String,
}

fn results() -> String {
    Report::KIND.to_owned()
}

/// What is kept on disk as JSON.
pub trait Document: Serialize + DeserializeOwned {
    /// What users call it.
    const KIND: &'static str;
    /// Version of its schema that we write, and read with every second number.
    const SCHEMA: &'static str;

    /// What in it contradicts itself, as no program of ours would write it: the place and what is wrong there.
    fn contradiction(&self) -> Option<String>;

    /// Reads it from a file that is as we write it; nothing where it is not, or where this kind of document has no such
    /// short cut.
    fn quick(_file: File) -> Option<Self> {
        None
    }

    /// Reads it from `path`.
    ///
    /// # Errors
    /// When it cannot be read, is cut off or malformed, contradicts itself, or is of another kind or version.
    fn read(path: &Path) -> Result<Self, ReadError> {
        if let Some(document) = quick(path) {
            return consistent(path, document);
        }
        let head = head(path, Self::KIND)?;
        if head.kind == Self::KIND {
            parse(path, head)
        } else {
            Err(ReadError::Kind { what: Self::KIND, path: path.into(), found: head.kind })
        }
    }

    /// Writes it to `path` as indented JSON. On an error, what was at `path` before is still there, and no other file is
    /// left behind.
    ///
    /// # Errors
    /// When the kernel refuses it; the text names the path.
    fn write(&self, path: &Path) -> Result<(), WriteError> {
        write_with(Self::KIND, path, |out| {
            serde_json::to_writer_pretty(&mut *out, self)?;
            out.write_all(b"\n")
        })
    }
}

impl Document for Report {
    const KIND: &'static str = "results";
    const SCHEMA: &'static str = model::SCHEMA;

    fn quick(file: File) -> Option<Self> {
        checks::report(file)
    }

    fn contradiction(&self) -> Option<String> {
        let mut ids = BTreeSet::new();
        self.checks.iter().find_map(|check| {
            if !ids.insert(&check.id) {
                return Some(format!("the check {:?} occurs twice", check.id));
            }
            let broken = matches!(check.verdict, Verdict::Fail | Verdict::Warn);
            (broken && check.findings.is_empty() && check.reason.is_empty())
                .then(|| format!("the check {:?} got {} without a finding", check.id, check.verdict))
        })
    }
}

impl Document for Proof {
    const KIND: &'static str = proof::KIND;
    const SCHEMA: &'static str = proof::SCHEMA;

    fn contradiction(&self) -> Option<String> {
        let mutants: BTreeSet<&str> = self.mutants.iter().map(|mutant| mutant.id.as_str()).collect();
        let named = self.pairs.iter().map(|pair| &pair.mutant).chain(self.explanations.iter().map(|one| &one.mutant));
        let mut unknown = named.filter(|mutant| !mutants.contains(mutant.as_str()));
        match unknown.next() {
            Some(mutant) => Some(format!("the mutant {mutant:?} is used but not listed")),
            None => (self.totals != self.counted()).then(|| "totals does not match its pairs".to_owned()),
        }
    }
}

impl Document for Benchmark {
    const KIND: &'static str = bench::KIND;
    const SCHEMA: &'static str = bench::SCHEMA;

    fn contradiction(&self) -> Option<String> {
        let known = |name: &String| self.subjects.iter().any(|subject| subject.name == *name);
        let measured = self.scenarios.iter().flat_map(|scenario| &scenario.subjects);
        let phases = measured.clone().flat_map(|measured| &measured.phases);
        let uneven = phases.clone().find(|phase| phase.blocks.len() != phase.samples_ms.len());
        let unknown = measured.map(|measured| &measured.subject).find(|name| !known(name));
        let uneven = uneven.map(|phase| format!("a phase {:?} has samples without a block", phase.name));
        uneven.or_else(|| unknown.map(|name| format!("the subject {name:?} is used but not listed")))
    }
}

impl Document for Fuzz {
    const KIND: &'static str = fuzz::KIND;
    const SCHEMA: &'static str = fuzz::SCHEMA;

    fn contradiction(&self) -> Option<String> {
        let silent = self.failures.iter().find(|failure| failure.findings.is_empty());
        silent.map(|failure| format!("the property {:?} was broken without a finding", failure.property))
    }
}

/// A document of whichever kind a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Any {
    /// What a run found.
    Report(Box<Report>),
    /// What a proof found.
    Proof(Box<Proof>),
    /// What a benchmark or a trace found.
    Benchmark(Box<Benchmark>),
    /// What a search with random cases found.
    Fuzz(Box<Fuzz>),
}

impl Any {
    /// Reads it from `path`.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        if let Some(report) = quick(path) {
            return consistent(path, report).map(Box::new).map(Self::Report);
        }
        let head = head(path, "results")?;
        match head.kind.as_str() {
            Report::KIND => parse(path, head).map(Box::new).map(Self::Report),
            Proof::KIND => parse(path, head).map(Box::new).map(Self::Proof),
            Benchmark::KIND => parse(path, head).map(Box::new).map(Self::Benchmark),
            Fuzz::KIND => parse(path, head).map(Box::new).map(Self::Fuzz),
            other => {
                let what = "results, proof, benchmark or fuzz";
                Err(ReadError::Kind { what, path: path.into(), found: other.to_owned() })
            }
        }
    }
}

/// The results that these bytes are, read as from a file.
#[must_use]
pub fn results_of(bytes: &[u8]) -> Option<Report> {
    let report = checks::report(bytes).or_else(|| serde_json::from_slice(bytes).ok())?;
    report.contradiction().is_none().then_some(report)
}

/// Reads the members that say how to read the others. The file is read twice rather than kept: results can be large.
fn head(path: &Path, what: &'static str) -> Result<Head, ReadError> {
    from_file(path, what)
}

fn from_file<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, ReadError> {
    let file = given(path).map_err(|why| ReadError::Io { what, path: path.into(), source: why.into() })?;
    let file = BufReader::with_capacity(1 << 16, file.take(foreign::RESULTS.get()));
    serde_json::from_reader(file).map_err(|source| match source.io_error_kind() {
        Some(kind) => ReadError::Io { what, path: path.into(), source: kind.into() },
        None => ReadError::Parse { path: path.into(), source },
    })
}

/// The file that a user named, open.
fn given(path: &Path) -> Result<File, foreign::ReadError> {
    let file = foreign::given_file(path)?;
    if file.metadata()?.len() > foreign::RESULTS.get() {
        return Err(foreign::ReadError::TooLong(foreign::RESULTS));
    }
    Ok(file)
}

fn parse<D: Document>(path: &Path, head: Head) -> Result<D, ReadError> {
    let found = head.schema;
    if major(&found) != major(D::SCHEMA) {
        return Err(ReadError::Schema { what: D::KIND, path: path.into(), found, known: D::SCHEMA });
    }
    consistent(path, from_file(path, D::KIND)?)
}

fn quick<D: Document>(path: &Path) -> Option<D> {
    D::quick(given(path).ok()?)
}

fn consistent<D: Document>(path: &Path, document: D) -> Result<D, ReadError> {
    match document.contradiction() {
        Some(why) => Err(ReadError::Contradiction { path: path.into(), why }),
        None => Ok(document),
    }
}

fn major(schema: &str) -> &str {
    schema.split('.').next().unwrap_or(schema)
}
