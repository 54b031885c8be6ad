//! The output of a container's program: the time at which it started.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use plimsoll_foreign::read;

use crate::clock::stamped;

/// The read end of a pipe to the container's standard output.
#[derive(Debug)]
pub struct Output(pub(crate) File);

/// A pipe whose write end is for the container.
///
/// # Errors
/// When there are no descriptors left.
pub fn pipe() -> io::Result<(Output, OwnedFd)> {
    let (read, write) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    Ok((Output(read.into()), write))
}

impl Output {
    /// Whether the program has stamped the clock. Everybody who might write to it must have ended.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn has_stamp(self) -> io::Result<bool> {
        let bytes = read::whole(self.0, read::DOCUMENT)?;
        Ok(stamped(&bytes).is_some())
    }
}
