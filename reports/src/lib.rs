//! The result models ([`model`]) and what renders them. Nothing here runs a container or judges one.
//!
//! [`mod@file`] keeps documents on disk, [`tally`] counts verdicts and gives the exit code, [`matrix`] puts runs side by
//! side, [`expectations`] says what is known. [`mod@format`] names the renderers, one a file; [`text`] makes what a runtime
//! wrote safe to show. `schema/` describes the documents to other programs.

mod account;
mod badge;
pub mod baseline;
pub mod compare;
pub mod coverage;
mod csv;
pub mod expectations;
pub mod file;
pub mod format;
mod github;
pub mod html;
mod junit;
mod markdown;
pub mod matrix;
pub mod merge;
pub mod model;
mod oci;
mod sarif;
pub mod submission;
pub mod table;
pub mod tally;
mod tap;
pub mod text;
