//! `/proc`, reached through a descriptor that was verified to be the root of a procfs: what an image mounts or links at
//! `/proc` cannot take what is written here.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags};

use crate::error::{Context, Error, Result};

/// Opens `/proc` of the host.
///
/// # Errors
/// When it is not a procfs.
pub fn open() -> Result<OwnedFd> {
    let opening = || "open `/proc`".to_owned();
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = rustix::fs::open("/proc", flags, Mode::empty()).doing(opening)?;
    let kind = rustix::fs::fstatfs(&proc).doing(opening)?.f_type;
    if kind == PROC_SUPER_MAGIC {
        return Ok(proc);
    }
    Err(Error::new("`/proc` of the host is no procfs"))
}

/// Writes `value` to the file `path` below `proc`, and to no other file system.
///
/// # Errors
/// As openat2(2) and write(2).
pub fn write(proc: BorrowedFd<'_>, path: &Path, value: &str) -> Result<()> {
    let writing = || format!("write `{value}` to `/proc/{}`", path.display());
    let file = open_to_write(proc, path)?;
    rustix::io::write(file.as_fd(), value.as_bytes()).doing(writing).map(drop)
}

/// Opens the file `path` below `proc`, and of no other file system, for writing.
///
/// # Errors
/// As openat2(2).
pub fn open_to_write(proc: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::openat2(proc, path, flags, Mode::empty(), resolve)
        .doing(|| format!("open `/proc/{}` to write to it", path.display()))
}

/// Reads the small file `path` below `proc`, and of no other file system.
///
/// # Errors
/// As openat2(2) and read(2).
pub fn read(proc: BorrowedFd<'_>, path: &Path) -> Result<String> {
    let reading = || format!("read `/proc/{}`", path.display());
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
    let file = rustix::fs::openat2(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty(), resolve);
    let mut text = vec![0; 4096];
    let length = rustix::io::read(file.doing(reading)?, &mut text).doing(reading)?;
    Ok(String::from_utf8_lossy(&text[..length]).into_owned())
}

/// Opens what a link below `proc` refers to, such as `self/ns/time`.
///
/// # Errors
/// As openat2(2).
pub fn open_link(proc: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd> {
    rustix::fs::openat(proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .doing(|| format!("open `/proc/{}`", path.display()))
}

/// Whether this process is in a user namespace other than the initial one, whose map is the whole range.
pub fn in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    !map.split_whitespace().eq(["0", "0", "4294967295"])
}
