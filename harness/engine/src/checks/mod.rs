//! What a check is, what it needs, and how it is carried out and judged.

pub mod check;
pub mod batch;
pub mod execute;
pub(crate) mod broken_clauses;
pub mod artifacts;
mod collect;
pub mod need;
pub mod guarded;
pub(crate) mod run_dir;
pub mod fuzz_case;
