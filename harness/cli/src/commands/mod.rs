//! The commands, one file each.

pub mod bench;
pub mod clauses;
pub mod clean;
pub mod compare;
pub mod completions;
pub mod doctor;
pub mod expect;
pub mod fuzz;
pub mod list;
pub mod man;
pub mod merge;
pub mod prove;
pub mod replay;
pub mod report;
pub mod run;
pub mod submit;
pub mod trace;
pub mod vm;
