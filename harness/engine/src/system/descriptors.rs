//! Waiting for descriptors, and the one that leads nowhere.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Waits until one of the descriptors can be read (or has ended) or the deadline has come. Says whether it was in time.
///
/// # Errors
/// When `poll(2)` fails.
pub fn wait_readable<F: AsFd>(fds: &[F], deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Round up: a wait of 0.4 ms must not become a busy loop.
        let left = PollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
        let mut polled: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut polled, left) {
            Ok(0) if Instant::now() >= deadline => return Ok(false),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(why) => return Err(why.into()),
        }
    }
}

/// `/dev/null`, for reading and writing.
///
/// # Errors
/// When the host has none.
pub fn null() -> io::Result<OwnedFd> {
    Ok(std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?.into())
}
