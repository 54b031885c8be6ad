//! Tests of the crate as its users see it; `cargo test` with `PLIMSOLL_BLESS=1` writes the golden files anew.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "tests read what they wrote")]

mod compare;
mod exit_code;
mod expectations;
mod file;
mod formats;
mod golden;
mod hostile;
mod html;
mod proof;
mod sample;
mod schema;
mod submission;
mod tools;
