//! Standard input, output and error where they are not a terminal: they come from the caller, and are used by a program
//! with another user and another root.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FileType, OFlags, ResolveFlags};

use crate::error::{Context, Result};
use crate::rootfs::Root;
use crate::rootfs::detached::is_character_device;

/// A stream, and how it is replaced.
type Stream = (BorrowedFd<'static>, fn(&OwnedFd) -> rustix::io::Result<()>);

/// Replaces the host's null device by that of the container, and gives pipes to the program's user.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn adapt(root: &Root, uid: u32) -> Result<()> {
    let streams: [Stream; 3] = [
        (rustix::stdio::stdin(), |fd| rustix::stdio::dup2_stdin(fd)),
        (rustix::stdio::stdout(), |fd| rustix::stdio::dup2_stdout(fd)),
        (rustix::stdio::stderr(), |fd| rustix::stdio::dup2_stderr(fd)),
    ];
    let mut null = None;
    for (fd, replace) in streams {
        let stat = match rustix::fs::fstat(fd) {
            Err(rustix::io::Errno::BADF) => continue,
            stat => stat.doing(|| "look at standard input, output and error".into())?,
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Fifo && stat.st_uid != uid {
            give_away(fd, uid)?;
        }
        if kind == FileType::CharacterDevice && stat.st_rdev == rustix::fs::makedev(1, 3) {
            if null.is_none() {
                null = container_null(root);
            }
            null.as_ref().map_or(Ok(()), replace).doing(|| "use the null device of the container".into())?;
        }
    }
    Ok(())
}

/// Pipes belong to whoever made them; the program may want to open them anew through `/dev/stdout`. Files are left
/// alone: they have a life beyond the container.
fn give_away(pipe: BorrowedFd<'_>, uid: u32) -> Result<()> {
    match rustix::fs::fchown(pipe, Some(rustix::fs::Uid::from_raw(uid)), None) {
        // The pipe's owner or the user is not mapped into the user namespace.
        Err(rustix::io::Errno::PERM | rustix::io::Errno::INVAL) => Ok(()),
        given => given.doing(|| "give a pipe to the user".into()),
    }
}

/// The null device that the container has, if it has one that it may use. With it nothing of the host's `/dev` stays
/// open in the container, and a checkpoint can name all files that are open.
fn container_null(root: &Root) -> Option<OwnedFd> {
    let opened =
        root.open_with(Path::new("/dev/null"), OFlags::RDWR | OFlags::NOCTTY, ResolveFlags::NO_SYMLINKS).ok()?;
    is_character_device(opened.as_fd(), 1, 3).unwrap_or(false).then_some(opened)
}
