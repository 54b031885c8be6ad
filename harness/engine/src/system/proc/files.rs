//! Reading small kernel files, with errors that name the file.

use std::fmt::Display;
use std::io;
use std::path::Path;

use plimsoll_foreign::read;

/// The error `why`, saying what it happened to. The kind is kept: callers tell "not there" from the rest by it.
pub(crate) fn about(what: impl Display, why: &io::Error) -> io::Error {
    let kind = if is_gone(why) { io::ErrorKind::NotFound } else { why.kind() };
    io::Error::new(kind, format!("{what}: {why}"))
}

/// A text that the kernel gave in a form that we do not know.
pub(crate) fn malformed(what: impl Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not understood: {what}"))
}

/// The whole file as text; bytes that are no UTF-8 are replaced.
pub(crate) fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref();
    let bytes = read::kernel_bytes(path).map_err(|why| about(path.display(), &why))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `None` instead of the error that says that something is not there, or no longer.
pub(crate) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(why) if is_gone(&why) => Ok(None),
        Err(why) => Err(why),
    }
}

/// Whether the file or its process is gone.
pub(crate) fn is_gone(why: &io::Error) -> bool {
    // A file of /proc that was opened while its process lived reads as ESRCH, a file of a removed cgroup as ENODEV.
    why.kind() == io::ErrorKind::NotFound || matches!(why.raw_os_error(), Some(libc::ESRCH | libc::ENODEV))
}
