//! The last calls before the program: close_range(2), execve(2).

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::checked;

/// Marks every descriptor from `first` on as closed by execve(2).
///
/// # Errors
/// As close_range(2).
pub fn close_range(first: u32) -> io::Result<()> {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 1 << 2;
    // SAFETY: with this flag nothing is closed now, so no owner of a descriptor is deceived.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, CLOSE_RANGE_CLOEXEC) }).map(drop)
}

/// The array of pointers that execve(2) takes.
fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// `execveat(2)` of an opened file; returns only when it fails.
pub fn fexecve(program: BorrowedFd<'_>, args: &[CString], env: &[CString]) -> io::Error {
    let (args, env) = (pointers(args), pointers(env));
    let (path, flags) = (c"".as_ptr(), libc::AT_EMPTY_PATH);
    // SAFETY: both arrays end in a null pointer, and all strings end in NUL and outlive the call.
    unsafe { libc::syscall(libc::SYS_execveat, program.as_raw_fd(), path, args.as_ptr(), env.as_ptr(), flags) };
    io::Error::last_os_error()
}

/// Whether execve(2) would find a file that this process may execute. Two calls, one of which knows nothing of directories.
///
/// # Errors
/// As execve(2), as far as path and file are concerned.
pub fn may_execute(program: &CStr) -> io::Result<()> {
    // SAFETY: the path is a string that ends in NUL and outlives the call.
    let accessed =
        unsafe { libc::syscall(libc::SYS_faccessat2, libc::AT_FDCWD, program.as_ptr(), libc::X_OK, libc::AT_EACCESS) };
    checked(accessed)?;
    let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::stat(program)?.st_mode);
    if kind == rustix::fs::FileType::RegularFile { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EACCES)) }
}

/// `execve(2)`; returns only when it fails.
pub fn execve(program: &CStr, args: &[CString], env: &[CString]) -> io::Error {
    let (args, env) = (pointers(args), pointers(env));
    // SAFETY: both arrays end in a null pointer, and all strings end in NUL and outlive the call.
    unsafe { libc::execve(program.as_ptr(), args.as_ptr(), env.as_ptr()) };
    io::Error::last_os_error()
}
