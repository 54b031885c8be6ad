//! `plimsoll-runtime`: the bundled reference runtime. Not yet written; it says so and fails.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!("plimsoll-runtime: not yet: this runtime cannot make containers in this version; name another one");
    ExitCode::from(1)
}
