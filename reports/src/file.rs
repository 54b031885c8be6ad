//! `results.json` on disk: written whole or not at all, and read only when its schema is one that we know.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

use serde::Deserialize;
use thiserror::Error;

use crate::model::{Report, SCHEMA};

/// Why a report was not read. The cause is in `source`, so print the chain.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("read the results in {path:?}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file is not JSON, ends too early, or lacks a member; the cause names line and column.
    #[error("parse the results in {path:?}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// The file was written by a version whose results we would misread.
    #[error("the results in {path:?} have schema {found:?}, and this version reads {SCHEMA:?}")]
    Schema {
        /// The file.
        path: PathBuf,
        /// The schema version that it names.
        found: String,
    },
}

/// Why a report was not written. The cause is in `source`, so print the chain.
#[derive(Debug, Error)]
#[error("write the results to {path:?}")]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// The one member that is read before the others, since it says how to read them.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

impl Report {
    /// Reads a report from `path`.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let bytes = fs::read(path).map_err(|source| ReadError::Io { path: path.into(), source })?;
        let parse = |source| ReadError::Parse { path: path.into(), source };
        let head: Head = serde_json::from_slice(&bytes).map_err(parse)?;
        if major(&head.schema) != major(SCHEMA) {
            return Err(ReadError::Schema { path: path.into(), found: head.schema });
        }
        serde_json::from_slice(&bytes).map_err(parse)
    }

    /// Writes the report to `path` as indented JSON. On an error, what was at `path` before is still there, and no
    /// other file is left behind.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        self.write_whole(path).map_err(|source| WriteError { path: path.into(), source })
    }

    fn write_whole(&self, path: &Path) -> io::Result<()> {
        match fs::metadata(path) {
            // Renaming onto /dev/null or /dev/stdout would replace the device for the whole host.
            Ok(target) if !target.is_file() => self.write_to(OpenOptions::new().write(true).open(path)?).map(drop),
            // A link to a file stays a link, as it would if the file were written in place.
            Ok(_) => self.replace(&fs::canonicalize(path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.replace(path),
            Err(error) => Err(error),
        }
    }

    fn replace(&self, path: &Path) -> io::Result<()> {
        let temporary = temporary_beside(path)?;
        // `create_new` follows no link, so nobody can prepare a name in /tmp that we would write through.
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        // Some file systems report a full disk only when asked to write back.
        let written = self.write_to(file).and_then(|file| file.sync_all()).and_then(|()| fs::rename(&temporary, path));
        match written {
            Ok(()) => Ok(()),
            Err(error) => match fs::remove_file(&temporary) {
                Ok(()) => Err(error),
                Err(left) => Err(io::Error::other(format!("{error}, and {temporary:?} was left behind: {left}"))),
            },
        }
    }

    fn write_to(&self, file: File) -> io::Result<File> {
        let mut out = BufWriter::new(file);
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")?;
        Ok(out.into_inner()?)
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

    /// The least that is a report.
    const EMPTY: &str = r#"{
        "schema": "1.0", "plimsoll": "", "run": "", "started_at": 0, "duration_ms": 0, "cut_short": null, "checks": [],
        "runtime": {"path": "", "version": "", "sha256": "", "profile":"","spec":""},
        "host": {"kernel": "", "machine": "", "cgroups": "", "cgroup_view": "", "lsms": [], "missing_capabilities": []}
    }"#;

    #[test]
    fn a_full_disk_is_an_error() {
        let report: Report = serde_json::from_str(EMPTY).unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(report.write_to(full).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn the_temporary_name_is_hidden_and_in_the_same_directory() {
        let temporary = temporary_beside(Path::new("/a/results.json")).unwrap();
        assert!(temporary.to_string_lossy().starts_with("/a/.results.json."));
        assert!(temporary_beside(Path::new("/")).is_err());
    }
}
