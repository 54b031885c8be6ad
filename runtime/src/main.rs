//! `plimsoll-runtime`: the bundled reference runtime as a program of its own.

use std::process::ExitCode;

/// A start asks for memory some hundred times and lives for milliseconds. This allocator takes 64 KiB at a time from the
/// kernel, where that of musl asks it for each larger piece.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    plimsoll_runtime::main(std::env::args_os())
}
