//! The result model ([`model`]) and what renders it. Nothing here runs a container or judges one.
//!
//! [`mod@file`] keeps a report on disk, [`tally`] counts its verdicts and gives the exit code, [`table`] is what a
//! person sees in a terminal, and [`text`] makes what a runtime wrote safe to show there. `schema/` describes the
//! documents to other programs: what a run found, and what a proof of the checks found.

pub mod expectations;
pub mod file;
pub mod format;
pub mod html;
pub mod matrix;
pub mod model;
pub mod table;
pub mod tally;
pub mod text;
