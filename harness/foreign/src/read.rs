//! Bounded reads. [`file`] is for what a runtime may have written: it has to be a regular file, a link at its place is not
//! followed, and no byte beyond the limit is read. [`given`] is for files that a user names, and [`kernel`] for `/proc`,
//! `/sys` and the like, whose content a container may choose.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::Mode;

/// The most bytes that a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u64);

impl Limit {
    /// So many bytes.
    #[must_use]
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// So many times 1024 bytes.
    #[must_use]
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    /// So many times 1024 KiB.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            count if count >= 1 << 20 && count.is_multiple_of(1 << 20) => write!(f, "{} MiB", count >> 20),
            count if count >= 1 << 10 && count.is_multiple_of(1 << 10) => write!(f, "{} KiB", count >> 10),
            count => write!(f, "{count} bytes"),
        }
    }
}

/// A file with a number in it, such as a pid file.
pub const NUMBER: Limit = Limit::bytes(64);
/// A small document or a log of a few calls.
pub const DOCUMENT: Limit = Limit::mib(1);
/// The log of the hooks of a container, each of which tells of all that it sees.
pub const LOG: Limit = Limit::mib(16);
/// A file of a user in TOML: settings, a profile, expectations.
pub const SETTINGS: Limit = Limit::mib(4);
/// Results, a proof or a benchmark, however many checks they are of.
pub const RESULTS: Limit = Limit::mib(256);
/// A program, a library or another file that goes into a virtual machine or comes out of it.
pub const PROGRAM: Limit = Limit::mib(1024);
/// A case of a corpus.
pub const CASE: Limit = Limit::mib(8);
/// A file of `/proc` or `/sys`: the longest are the mounts of a host with tens of thousands of them, and a command line.
pub const KERNEL: Limit = Limit::mib(16);

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is something else in its place, or in it.
    #[error("it is {0}")]
    Odd(&'static str),
    /// It is longer than it can be for what it is.
    #[error("it is longer than {0}")]
    TooLong(Limit),
    /// The kernel refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ReadError {
    /// Whether there is nothing at the place.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Io(why) if why.kind() == io::ErrorKind::NotFound)
    }

    /// Whether whoever wrote the file is to blame, rather than the host: it is no regular file, or too long.
    #[must_use]
    pub fn is_odd(&self) -> bool {
        matches!(self, Self::Odd(_) | Self::TooLong(_))
    }
}

impl From<nix::Error> for ReadError {
    fn from(why: nix::Error) -> Self {
        Self::Io(why.into())
    }
}

impl From<ReadError> for io::Error {
    fn from(why: ReadError) -> Self {
        match why {
            ReadError::Io(why) => why,
            odd => Self::new(io::ErrorKind::InvalidData, odd.to_string()),
        }
    }
}

/// The bytes of a regular file that somebody else may have written. A symbolic link as the last part of the path is none.
///
/// # Errors
/// When it is no regular file, longer than the limit, or cannot be read. Nothing of it is waited for.
pub fn file(path: &Path, limit: Limit) -> Result<Vec<u8>, ReadError> {
    whole(regular(path, OFlag::O_NOFOLLOW)?, limit)
}

/// As [`file()`], as text; bytes that are no UTF-8 are replaced.
///
/// # Errors
/// As [`file()`].
pub fn text(path: &Path, limit: Limit) -> Result<String, ReadError> {
    Ok(lossy(file(path, limit)?))
}

/// As [`text`]; `None` when there is nothing at the place.
///
/// # Errors
/// As [`file()`], but for that.
pub fn text_if_there(path: &Path, limit: Limit) -> Result<Option<String>, ReadError> {
    match text(path, limit) {
        Ok(text) => Ok(Some(text)),
        Err(why) if why.is_absent() => Ok(None),
        Err(why) => Err(why),
    }
}

/// An open regular file, for who reads it in pieces. Links are followed: the caller has said that the path is its own.
///
/// # Errors
/// When it is no regular file, or cannot be opened.
pub fn regular_file(path: &Path) -> Result<File, ReadError> {
    regular(path, OFlag::empty())
}

/// The text of a file that the user named: a regular file, or a pipe that a shell made for it (`<(…)`), which is read to its end.
///
/// # Errors
/// When it is something else, longer than the limit, no UTF-8, or cannot be read.
pub fn given(path: &Path, limit: Limit) -> Result<String, ReadError> {
    let bytes = whole(given_file(path)?, limit)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8").into())
}

/// The same, open, for who reads it in pieces. Only a pipe under `/dev/fd` or `/proc` is one that a shell made: a FIFO that lies in a
/// directory may have no writer, and would never end.
///
/// # Errors
/// As [`given`].
pub fn given_file(path: &Path) -> Result<File, ReadError> {
    let pipe = path.starts_with("/dev/fd") || path.starts_with("/proc") || path == Path::new("/dev/stdin");
    if pipe && std::fs::metadata(path).is_ok_and(|status| status.file_type().is_fifo()) {
        return Ok(File::open(path)?);
    }
    regular(path, OFlag::empty())
}

/// A file of `/proc`, `/sys` or another filesystem of the kernel, as text; bytes that are no UTF-8 are replaced.
///
/// # Errors
/// When it cannot be read, or is longer than [`KERNEL`].
pub fn kernel(path: impl AsRef<Path>) -> io::Result<String> {
    Ok(lossy(kernel_bytes(path)?))
}

/// The same as bytes.
///
/// # Errors
/// As [`kernel`].
pub fn kernel_bytes(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    Ok(whole(File::open(path)?, KERNEL)?)
}

/// What is left of an open file, up to the limit.
///
/// # Errors
/// When there is more, or it cannot be read.
pub fn whole(file: impl Read, limit: Limit) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "this is the bounded read that stands for it")]
    file.take(limit.0.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit.0 { Err(ReadError::TooLong(limit)) } else { Ok(bytes) }
}

/// Opens without waiting for whoever may stand at the other end of a FIFO, and without making a terminal ours.
fn regular(path: &Path, more: OFlag) -> Result<File, ReadError> {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | more;
    let file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(nix::Error::ELOOP) => return Err(ReadError::Odd("a symbolic link, not a regular file")),
        Err(nix::Error::ENXIO) => {
            return Err(ReadError::Odd("a socket or a device without a driver, not a regular file"));
        }
        Err(why) => return Err(why.into()),
    };
    match kind(&file.metadata()?.file_type()) {
        Some(odd) => Err(ReadError::Odd(odd)),
        None => Ok(file),
    }
}

/// A FIFO, a terminal or another stream, open for writing. What has no reader is an error and not waited for.
///
/// # Errors
/// When it cannot be opened.
pub fn stream(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = open(path, flags, Mode::empty())?;
    // From here on a reader that is slow is waited for.
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(file.into())
}

fn kind(of: &std::fs::FileType) -> Option<&'static str> {
    Some(match of {
        kind if kind.is_file() => return None,
        kind if kind.is_dir() => "a directory, not a regular file",
        kind if kind.is_fifo() => "a FIFO, not a regular file",
        kind if kind.is_char_device() || kind.is_block_device() => "a device, not a regular file",
        kind if kind.is_socket() => "a socket, not a regular file",
        _ => "no regular file",
    })
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|why| String::from_utf8_lossy(why.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use nix::unistd::mkfifo;

    use super::*;

    fn refusal(make: impl FnOnce(&Path)) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        make(&path);
        file(&path, NUMBER).unwrap_err().to_string()
    }

    #[test]
    fn a_regular_file_is_read_up_to_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "12").unwrap();
        assert_eq!(text(&path, Limit::bytes(2)).unwrap(), "12");
        assert!(matches!(text(&path, Limit::bytes(1)), Err(ReadError::TooLong(_))));
        assert_eq!(text_if_there(&dir.path().join("y"), NUMBER).unwrap(), None);
    }

    #[test]
    fn whatever_is_no_regular_file_is_named_at_once() {
        assert_eq!(refusal(|at| mkfifo(at, Mode::S_IRWXU).unwrap()), "it is a FIFO, not a regular file");
        assert_eq!(refusal(|at| symlink("/dev/zero", at).unwrap()), "it is a symbolic link, not a regular file");
        assert_eq!(refusal(|at| fs::create_dir(at).unwrap()), "it is a directory, not a regular file");
        assert!(refusal(|at| drop(UnixListener::bind(at).unwrap())).starts_with("it is a socket"));
        let sparse = |at: &Path| File::create(at).unwrap().set_len(1 << 30).unwrap();
        assert_eq!(refusal(sparse), "it is longer than 64 bytes");
        assert_eq!(file(Path::new("/dev/zero"), NUMBER).unwrap_err().to_string(), "it is a device, not a regular file");
    }

    #[test]
    fn a_user_may_name_a_link_and_no_endless_device() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "text").unwrap();
        symlink("file", dir.path().join("link")).unwrap();
        assert_eq!(given(&dir.path().join("link"), SETTINGS).unwrap(), "text");
        assert!(given(Path::new("/dev/zero"), SETTINGS).unwrap_err().is_odd());
        mkfifo(&dir.path().join("fifo"), Mode::S_IRWXU).unwrap();
        assert!(given(&dir.path().join("fifo"), SETTINGS).unwrap_err().is_odd(), "it would never end");
    }

    #[test]
    fn files_of_the_kernel_say_no_size_and_are_read() {
        assert!(kernel("/proc/self/status").unwrap().starts_with("Name:"));
        assert!(kernel("/proc/self/nothing").is_err());
    }
}
