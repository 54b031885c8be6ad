//! Tests of the crate as its users see it; `cargo test` with `PLIMSOLL_BLESS=1` writes the golden files anew.

mod exit_code;
mod expectations;
mod file;
mod golden;
mod hostile;
mod proof;
mod sample;
mod schema;
