//! What a check is, what it needs, and how it is executed and judged.

pub mod artifacts;
pub mod batch;
pub(crate) mod broken_clauses;
pub mod check;
pub mod circumstance;
mod collect;
pub mod execute;
pub mod fuzz_case;
pub mod guarded;
pub mod need;
pub(crate) mod run_dir;
