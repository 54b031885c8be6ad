//! Waits for descriptors, opens `/dev/null`, receives descriptors over a socket.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use crate::system::sys::adopt;

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

/// One message of a socket, and the descriptors that came with it; unix(7).
///
/// # Errors
/// When nothing can be received.
pub(crate) fn receive(socket: RawFd) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = vec![0; 64 * 1024];
    let mut buffer = [IoSliceMut::new(&mut bytes)];
    let mut space = nix::cmsg_space!([RawFd; 16]);
    let message = recvmsg::<()>(socket, &mut buffer, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let size = message.bytes;
    let mut fds = Vec::new();
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = part {
            fds.extend(raw.into_iter().map(adopt));
        }
    }
    bytes.truncate(size);
    Ok((bytes, fds))
}
