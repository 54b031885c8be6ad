//! Why a virtual machine gave no results: one line each, with what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why there are no results from a virtual machine. The causes are part of the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that belongs into the machine cannot be read.
    #[error("cannot read {path}: {why}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        why: io::Error,
    },
    /// A shared library is missing.
    #[error("{name}, which {of} needs, is nowhere to be found: name it with --add", of = of.display())]
    Library {
        /// Its name.
        name: String,
        /// The file that needs it.
        of: PathBuf,
    },
    /// There is no kernel to boot, or it is none.
    #[error("{0}")]
    Kernel(String),
    /// The emulator cannot be started.
    #[error("{0}")]
    Emulator(String),
    /// The machine did not do its part.
    #[error("{what}")]
    Guest {
        /// What happened.
        what: String,
        /// The last lines of its console.
        console: Vec<String>,
    },
    /// The user wants to end.
    #[error("interrupted")]
    Interrupted,
    /// The host refuses something that should work.
    #[error("cannot {doing}: {why}")]
    Host {
        /// What was tried.
        doing: &'static str,
        /// What the kernel said.
        why: io::Error,
    },
}

impl Error {
    /// For `map_err` on reading a file.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |why| Self::Read { path: path.to_owned(), why }
    }

    /// For `map_err` on what should work on every host.
    pub(crate) fn host<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |why| Self::Host { doing, why: why.into() }
    }

    /// The last lines of the machine's console, where there is one.
    #[must_use]
    pub fn console(&self) -> &[String] {
        match self {
            Self::Guest { console, .. } => console,
            _ => &[],
        }
    }
}
