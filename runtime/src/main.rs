//! `plimsoll-runtime`: the bundled reference runtime as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    plimsoll_runtime::main(std::env::args_os())
}
