//! Writes files atomically.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::SystemTime;

use plimsoll_foreign::read::stream;
use thiserror::Error;

/// Why a document was not written. The cause is in `source`, so print the chain.
#[derive(Debug, Error)]
#[error("write the {what} to {path:?}")]
pub struct WriteError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Finds out whether `path` can be written to, and changes nothing: who has run for minutes should not learn it only then.
///
/// # Errors
/// As [`write_with`] would return, as far as that can be told: a disk may fill up meanwhile.
pub fn can_write(what: &'static str, path: &Path) -> Result<(), WriteError> {
    look(path).map_err(|source| WriteError { what, path: path.into(), source })
}

fn look(path: &Path) -> io::Result<()> {
    match place(path)? {
        Place::Stream(_) => Ok(()),
        Place::File(file) => {
            if fs::symlink_metadata(&file).is_ok_and(|there| there.is_dir()) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let temporary = temporary_beside(&file)?;
            OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            fs::remove_file(temporary)
        }
    }
}

/// Writes what was rendered from a document to `path`, as carefully as the document itself. `put` may put it out in small
/// pieces.
///
/// # Errors
/// When the kernel refuses it; the text names the path.
pub fn write_with(
    what: &'static str,
    path: &Path,
    put: impl Fn(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    let fill = |file: File| {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        put(&mut out)?;
        Ok(out.into_inner()?)
    };
    write_whole(path, &fill).map_err(|source| WriteError { what, path: path.into(), source })
}

/// The same for a text that is there.
///
/// # Errors
/// When the kernel refuses it; the text names the path.
pub fn write_text(text: &str, what: &'static str, path: &Path) -> Result<(), WriteError> {
    write_with(what, path, |out| out.write_all(text.as_bytes()))
}

/// What puts the content into a file, and gives the file back.
type Fill<'a> = dyn Fn(File) -> io::Result<File> + 'a;

/// Where content goes.
enum Place {
    /// A file, which is replaced.
    File(PathBuf),
    /// What is no file: it is written to.
    Stream(PathBuf),
}

fn write_whole(path: &Path, fill: &Fill<'_>) -> io::Result<()> {
    match place(path)? {
        Place::File(path) => replace(&path, fill),
        Place::Stream(path) => fill(stream(&path)?).map(drop),
    }
}

fn place(path: &Path) -> io::Result<Place> {
    // Who filled the directory chose where a link there leads; the links of the kernel (/dev/stdout, /dev/fd/63) lead to what
    // this process was started with.
    let of_kernel = path.starts_with("/dev") || path.starts_with("/proc");
    match fs::symlink_metadata(path) {
        Ok(link) if link.is_symlink() && !of_kernel => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a symbolic link, which is not followed; use the path of its target",
        )),
        Ok(_) => there(path, of_kernel),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::File(path.to_owned())),
        Err(error) => Err(error),
    }
}

/// Renaming onto /dev/null or /dev/stdout would replace the device for the whole host, so what is no file is written to. A FIFO
/// without a reader is an error, and so is a device that lies elsewhere than in /dev.
fn there(path: &Path, of_kernel: bool) -> io::Result<Place> {
    let target = fs::metadata(path)?;
    let kind = target.file_type();
    if target.is_file() || target.is_dir() {
        return Ok(Place::File(fs::canonicalize(path)?));
    }
    if kind.is_block_device() || (kind.is_char_device() && !of_kernel) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a device, not a file"));
    }
    Ok(Place::Stream(path.to_owned()))
}

fn replace(path: &Path, fill: &Fill<'_>) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    // `create_new` follows no link, so nobody can prepare a name in /tmp that we would write through.
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    // Some file systems report a full disk only when asked to write back.
    let written = fill(file).and_then(|file| file.sync_all()).and_then(|()| fs::rename(&temporary, path));
    match written {
        Ok(()) => Ok(()),
        Err(error) => match fs::remove_file(&temporary) {
            Ok(()) => Err(error),
            Err(left) => Err(io::Error::other(format!("{error}, and {temporary:?} was left behind: {left}"))),
        },
    }
}

/// A name in the directory of `path` that no other process uses; the time tells us from an earlier process with the
/// same pid, which is the rule and not the exception inside a container.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let nanoseconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos());
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}-{nanoseconds}", process::id()));
    Ok(path.with_file_name(temporary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_error() {
        let error = write_text("text", "results", Path::new("/dev/full")).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn the_temporary_name_is_hidden_and_in_the_same_directory() {
        let temporary = temporary_beside(Path::new("/a/results.json")).unwrap();
        assert!(temporary.to_string_lossy().starts_with("/a/.results.json."));
        assert!(temporary_beside(Path::new("/")).is_err());
    }
}
