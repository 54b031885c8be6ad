//! `plimsoll-runtime`: the bundled reference runtime as a program of its own.
#![no_main]
#![expect(unsafe_code, reason = "the C library calls it by its name")]

use std::ffi::{c_char, c_int};

use plimsoll_runtime::Scrubbing;

/// A start asks for memory some hundred times and lives for milliseconds. This allocator takes 64 KiB at a time from the
/// kernel, where that of musl asks it for each larger piece.
#[global_allocator]
static ALLOCATOR: Scrubbing<dlmalloc::GlobalDlmalloc> = Scrubbing(dlmalloc::GlobalDlmalloc);

/// The entry. The library says what it does in place of Rust's own.
#[unsafe(no_mangle)]
extern "C" fn main(count: c_int, arguments: *const *const c_char) -> c_int {
    // SAFETY: as execve(2) left them, for the life of the process.
    unsafe { plimsoll_runtime::enter(count, arguments, plimsoll_runtime::main) }
}
