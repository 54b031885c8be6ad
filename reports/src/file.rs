//! `results.json` and `proof.json` on disk: written whole or not at all, and read only when the schema is one that we
//! know.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::bench::{self, Benchmark};
use crate::model::fuzz::{self, Fuzz};
use crate::model::proof::{self, Proof};
use crate::model::{self, Report, Verdict};

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

/// Why a document was not written. The cause is in `source`, so print the chain.
#[derive(Debug, Error)]
#[error("write the {what} to {path:?}")]
pub struct WriteError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
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

    /// Reads it from `path`.
    ///
    /// # Errors
    /// When it cannot be read, is cut off or malformed, contradicts itself, or is of another kind or version.
    fn read(path: &Path) -> Result<Self, ReadError> {
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
        let fill = |file: File| {
            let mut out = BufWriter::new(file);
            serde_json::to_writer_pretty(&mut out, self)?;
            out.write_all(b"\n")?;
            Ok(out.into_inner()?)
        };
        write_whole(path, &fill).map_err(|source| WriteError { what: Self::KIND, path: path.into(), source })
    }
}

impl Document for Report {
    const KIND: &'static str = "results";
    const SCHEMA: &'static str = model::SCHEMA;

    fn contradiction(&self) -> Option<String> {
        let mut ids = BTreeSet::new();
        self.checks.iter().find_map(|check| {
            if !ids.insert(&check.id) {
                return Some(format!("the check {:?} is there twice", check.id));
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
            Some(mutant) => Some(format!("the mutant {mutant:?} is named and not listed")),
            None => (self.totals != self.counted()).then(|| "totals is not what its pairs count up to".to_owned()),
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
        uneven.or_else(|| unknown.map(|name| format!("the subject {name:?} is named and not listed")))
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

/// Reads the members that say how to read the others. The file is read twice rather than kept: results can be large.
fn head(path: &Path, what: &'static str) -> Result<Head, ReadError> {
    from_file(path, what)
}

fn from_file<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, ReadError> {
    let file = File::open(path).map_err(|source| ReadError::Io { what, path: path.into(), source })?;
    serde_json::from_reader(BufReader::with_capacity(1 << 16, file)).map_err(|source| match source.io_error_kind() {
        Some(kind) => ReadError::Io { what, path: path.into(), source: kind.into() },
        None => ReadError::Parse { path: path.into(), source },
    })
}

fn parse<D: Document>(path: &Path, head: Head) -> Result<D, ReadError> {
    let found = head.schema;
    if major(&found) != major(D::SCHEMA) {
        return Err(ReadError::Schema { what: D::KIND, path: path.into(), found, known: D::SCHEMA });
    }
    let document: D = from_file(path, D::KIND)?;
    match document.contradiction() {
        Some(why) => Err(ReadError::Contradiction { path: path.into(), why }),
        None => Ok(document),
    }
}

/// Writes what was rendered from a document to `path`, as carefully as the document itself.
///
/// # Errors
/// When the kernel refuses it; the text names the path.
pub fn write_text(text: &str, what: &'static str, path: &Path) -> Result<(), WriteError> {
    let fill = |mut file: File| {
        file.write_all(text.as_bytes())?;
        Ok(file)
    };
    write_whole(path, &fill).map_err(|source| WriteError { what, path: path.into(), source })
}

/// What puts the content into a file, and gives the file back.
type Fill<'a> = dyn Fn(File) -> io::Result<File> + 'a;

fn write_whole(path: &Path, fill: &Fill<'_>) -> io::Result<()> {
    match fs::metadata(path) {
        // Renaming onto /dev/null or /dev/stdout would replace the device for the whole host.
        Ok(target) if !target.is_file() => fill(OpenOptions::new().write(true).open(path)?).map(drop),
        // A link to a file stays a link, as it would if the file were written in place.
        Ok(_) => replace(&fs::canonicalize(path)?, fill),
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(path, fill),
        Err(error) => Err(error),
    }
}

fn replace(path: &Path, fill: &Fill<'_>) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    // `create_new` follows no link, so nobody can prepare a name in /tmp that we would write through.
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    // Some file systems report a full disk only when asked to write back.
    let written = fill(file).and_then(|file| file.sync_all()).and_then(|()| fs::rename(&temporary, path));
    match written {
        Ok(()) => Ok(()),
        Err(error) => match fs::remove_file(&temporary) {
            Ok(()) => Err(error),
            Err(left) => Err(io::Error::other(format!("{error}, and {temporary:?} was left behind: {left}"))),
        },
    }
}

fn major(schema: &str) -> &str {
    schema.split('.').next().unwrap_or(schema)
}

/// A name in the directory of `path` that no other process uses; the time tells us from an earlier process with the
/// same pid, which is the rule and not the exception inside a container.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let nanoseconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}-{nanoseconds}", process::id()));
    Ok(path.with_file_name(temporary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error() {
        let error = write_text("text", "results", Path::new("/dev/full")).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn the_temporary_name_is_hidden_and_in_the_same_directory() {
        let temporary = temporary_beside(Path::new("/a/results.json")).unwrap();
        assert!(temporary.to_string_lossy().starts_with("/a/.results.json."));
        assert!(temporary_beside(Path::new("/")).is_err());
    }
}
