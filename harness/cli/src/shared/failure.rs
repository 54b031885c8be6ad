//! Errors that end the program without a report: one line each, and an exit code.

use std::error::Error;
use std::io::ErrorKind;
use std::process::ExitCode;

use plimsoll_reports::text::chain;

/// What ends the program without a report.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What the user asked for cannot be: no such file, no such check.
    #[error("{0}")]
    Usage(String),
    /// The host or the harness does not allow it.
    #[error("{0}")]
    Host(String),
    /// A filter left nothing to run.
    #[error("{0}")]
    Nothing(String),
}

impl Failure {
    /// The exit code, as the README lists it.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Host(_) => 2,
            Self::Nothing(_) => 3,
            Self::Usage(_) => 4,
        }
    }

    /// A failure of the host, with all its causes on one line.
    pub fn host(why: impl Error) -> Self {
        Self::Host(chain(&why))
    }

    /// A mistake of the user, with all its causes on one line.
    pub fn usage(why: impl Error) -> Self {
        Self::Usage(chain(&why))
    }
}

impl From<plimsoll_vm::error::Error> for Failure {
    fn from(why: plimsoll_vm::error::Error) -> Self {
        Self::Host(why.to_string())
    }
}

/// Prints what clap has to say: help and version are an answer, anything else is a mistake of the user.
pub fn usage_answer(answer: &clap::Error) -> ExitCode {
    // A reader such as `head` may have seen enough.
    let printed = answer.print().map_or_else(|why| why.kind() == ErrorKind::BrokenPipe, |()| true);
    let asked_for = answer.exit_code() == 0;
    if asked_for && printed { ExitCode::SUCCESS } else { ExitCode::from(Failure::Usage(String::new()).code()) }
}
