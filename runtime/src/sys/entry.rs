//! What stands before a `main` in Rust, but for what a runtime has no use for: the bounds of the stack, which glibc reads
//! from `/proc/self/maps`, and a handler that tells its overflow from other faults. They are a fortieth of a start.

use std::ffi::{CStr, OsString, c_char, c_int};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;
use std::panic::catch_unwind;

use rustix::fs::{Mode, OFlags};

/// The exit code after a panic, which has been printed.
const PANICKED: i32 = 101;

/// Runs a program that the C library has entered, and exits with its code. Standard streams that the caller has closed lead to
/// `/dev/null`, so that nothing else takes their place; nobody is ended by SIGPIPE.
///
/// # Safety
/// `arguments` points to `count` strings that stay.
pub unsafe fn enter(count: c_int, arguments: *const *const c_char, program: fn(Vec<OsString>) -> u8) -> ! {
    hold_standard_streams();
    // SAFETY: to ignore a signal runs no code of this process.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let count = usize::try_from(count).unwrap_or_default();
    // SAFETY: the caller promises as much.
    let arguments = (0..count).map(|index| unsafe { CStr::from_ptr(*arguments.add(index)) });
    let arguments = arguments.map(|argument| OsString::from_vec(argument.to_bytes().to_vec())).collect();
    let code = catch_unwind(|| program(arguments)).map_or(PANICKED, i32::from);
    std::process::exit(code)
}

fn hold_standard_streams() {
    for number in 0..=2 {
        // SAFETY: it is only asked whether it is open.
        let stream = unsafe { BorrowedFd::borrow_raw(number) };
        if rustix::io::fcntl_getfd(stream) == Err(rustix::io::Errno::BADF)
            // The lowest number that is free is this one.
            && let Ok(null) = rustix::fs::open("/dev/null", OFlags::RDWR, Mode::empty())
        {
            std::mem::forget(null);
        }
    }
}
