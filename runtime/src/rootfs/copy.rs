//! `tmpcopyup`: a tmpfs that starts with a copy of what it hides.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};

use super::beneath::Root;
use super::options::permissions;
use crate::error::{Context, Result};

/// Copies what is at `path` in the container into the mount `to`: files, directories, links, devices, with their
/// owners and modes.
///
/// # Errors
/// When something cannot be read or written. A missing directory is an empty one.
pub fn copy_up(root: &Root, path: &Path, to: BorrowedFd<'_>) -> Result<()> {
    if root.open_existing(path)?.is_none() {
        return Ok(());
    }
    let from = root.open_with(path, OFlags::RDONLY | OFlags::DIRECTORY, ResolveFlags::empty())?;
    let to = open_directory(to, Path::new("."))?;
    copy_directory(from.as_fd(), to.as_fd()).doing(|| format!("copy `{}` into the tmpfs", path.display()))
}

fn copy_directory(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let reading = || "read a directory".into();
    for entry in Dir::read_from(from).doing(reading)? {
        let entry = entry.doing(reading)?;
        let name = Path::new(std::ffi::OsStr::new(entry.file_name().to_str().unwrap_or_default()));
        if name != Path::new(".") && name != Path::new("..") {
            copy_entry(from, to, name).doing(|| format!("copy `{}`", name.display()))?;
        }
    }
    let stat = rustix::fs::fstat(from).doing(reading)?;
    rustix::fs::fchown(to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid))).doing(reading)?;
    rustix::fs::fchmod(to, permissions(stat.st_mode)).doing(reading)
}

fn copy_entry(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &Path) -> Result<()> {
    let copying = || "copy".to_owned();
    let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW).doing(copying)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let mode = permissions(stat.st_mode);
    match kind {
        FileType::Directory => {
            rustix::fs::mkdirat(to, name, mode).doing(copying)?;
            return copy_directory(open_directory(from, name)?.as_fd(), open_directory(to, name)?.as_fd());
        }
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(from, name, Vec::new()).doing(copying)?;
            rustix::fs::symlinkat(target.as_c_str(), to, name).doing(copying)?;
        }
        FileType::RegularFile => copy_file(from, to, name, mode)?,
        _ => rustix::fs::mknodat(to, name, kind, mode, stat.st_rdev).doing(copying)?,
    }
    let owner = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::chownat(to, name, Some(owner.0), Some(owner.1), AtFlags::SYMLINK_NOFOLLOW).doing(copying)?;
    if kind != FileType::Symlink {
        // A change of owner takes the set-id bits away.
        rustix::fs::chmodat(to, name, mode, AtFlags::empty()).doing(copying)?;
    }
    Ok(())
}

fn copy_file(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &Path, mode: Mode) -> Result<()> {
    let copying = || "copy".to_owned();
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let source = rustix::fs::openat(from, name, OFlags::RDONLY | flags, Mode::empty()).doing(copying)?;
    let made = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | flags;
    let target = rustix::fs::openat(to, name, made, mode).doing(copying)?;
    let (mut source, mut target) = (std::fs::File::from(source), std::fs::File::from(target));
    std::io::copy(&mut source, &mut target).doing(copying).map(drop)
}

fn open_directory(at: BorrowedFd<'_>, name: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty()).doing(|| "open a directory".into())
}
