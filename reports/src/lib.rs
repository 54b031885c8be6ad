//! The result models ([`model`]) and what renders them. Nothing here runs a container or judges one.
//!
//! [`mod@file`] keeps documents on disk, [`tally`] counts verdicts and gives the exit code, [`matrix`] puts runs side by
//! side, [`expectations`] says what is known. [`mod@format`] names the renderers, which are in `formats/`; [`text`] makes what a runtime
//! wrote safe to show. `schema/` describes the documents to other programs.

mod account;
pub mod baseline;
pub mod compare;
pub mod coverage;
pub mod expectations;
pub mod file;
pub mod format;
mod formats;
pub mod ids;
pub mod matrix;
pub mod merge;
pub mod model;
pub mod submission;
pub mod tally;
pub mod text;

use formats::{badge, csv, github, junit, markdown, oci, sarif, tap};
pub use formats::{html, table};
