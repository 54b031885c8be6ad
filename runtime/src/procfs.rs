//! `/proc`, reached through a descriptor that was verified to be the root of a procfs: what an image mounts or links at
//! `/proc` cannot take what is written here.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

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

/// The places of the mounts of these types in this mount namespace that show a whole file system. proc_pid_mountinfo(5).
///
/// # Errors
/// As openat2(2) and read(2).
pub fn whole_mounts(proc: BorrowedFd<'_>, kinds: &[&str]) -> Result<Vec<PathBuf>> {
    let reading = || "read `/proc/self/mountinfo`".to_owned();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat2(proc, "self/mountinfo", flags, Mode::empty(), ResolveFlags::BENEATH);
    let mut text = Vec::new();
    File::from(file.doing(reading)?).read_to_end(&mut text).doing(reading)?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(|line| whole_mount(line, kinds)).collect())
}

/// `ID PARENT DEVICE ROOT PLACE OPTIONS … - TYPE …`, blanks and the like as `\040`.
fn whole_mount(line: &[u8], kinds: &[&str]) -> Option<PathBuf> {
    let mut words = line.split(|byte| *byte == b' ').skip(3);
    let (root, place) = (words.next()?, words.next()?);
    let kind = words.skip_while(|word| *word != b"-").nth(1)?;
    let is_meant = root == b"/" && kinds.iter().any(|own| own.as_bytes() == kind);
    is_meant.then(|| PathBuf::from(OsString::from_vec(unescape(place))))
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, more @ ..] = rest {
        let octal = more.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &more[3..] } else { more };
    }
    bytes
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_found_by_its_type_where_it_is_whole() {
        let find = |line: &str| whole_mount(line.as_bytes(), &["proc", "sysfs"]);
        assert_eq!(find("24 1 0:22 / /proc rw,nosuid shared:5 - proc proc rw"), Some("/proc".into()));
        assert_eq!(find(r"24 1 0:22 / /a\040b\134 rw - sysfs sysfs rw"), Some("/a b\\".into()));
        assert_eq!(find("24 1 0:22 /sys /proc/sys ro - proc proc rw"), None);
        assert_eq!(find("24 1 0:22 / /tmp rw - tmpfs proc rw"), None);
        assert_eq!(find(""), None);
    }
}
