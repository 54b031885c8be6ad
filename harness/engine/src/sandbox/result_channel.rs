//! How the process of a check hands its result to the supervisor.
//!
//! The runtime under test is root in the pid namespace of that process, so whatever stands in `/proc/1/fd` is within its
//! reach. A pipe could be opened there and written to. A socket cannot be opened a second time, and a message counts only
//! if it begins with a secret that was made for this check. A runtime that attaches a debugger to the process of the check
//! could still forge a result: `SECURITY.md` says so.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::system::process::Capture;
use crate::system::sys;

/// The longest result of a check.
const LONGEST: usize = 16 * 1024 * 1024;

/// Known to the supervisor and to the process of one check.
type Secret = [u8; 16];

/// What stands before a result: the secret, and how many bytes follow.
const HEAD: usize = size_of::<Secret>() + size_of::<u64>();

/// The end of the process of a check.
#[derive(Debug)]
pub struct Sender {
    socket: OwnedFd,
    secret: Secret,
}

/// The end of the supervisor.
#[derive(Debug)]
pub struct Receiver {
    capture: Capture,
    secret: Secret,
}

/// Both ends.
///
/// # Errors
/// When there are no descriptors left, or the kernel has no random bytes.
pub fn pair() -> io::Result<(Sender, Receiver)> {
    let secret = sys::random()?;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
    Ok((Sender { socket: theirs, secret }, Receiver { capture: Capture::new(ours, HEAD + LONGEST)?, secret }))
}

impl Sender {
    /// Whether the supervisor has ended.
    ///
    /// # Errors
    /// When `poll(2)` fails.
    pub fn is_alone(&self) -> io::Result<bool> {
        let mut polled = [PollFd::new(self.socket.as_fd(), PollFlags::empty())];
        poll(&mut polled, PollTimeout::ZERO)?;
        Ok(polled[0].revents().is_some_and(|seen| seen.intersects(PollFlags::POLLERR | PollFlags::POLLHUP)))
    }

    /// The descriptor that it is sent by.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Sends the result; nothing can be sent after it.
    ///
    /// # Errors
    /// When the supervisor has ended.
    pub fn send(self, result: &[u8]) -> io::Result<()> {
        let mut socket = File::from(self.socket);
        socket.write_all(&self.secret)?;
        socket.write_all(&(result.len() as u64).to_le_bytes())?;
        socket.write_all(result)
    }
}

impl Receiver {
    /// The descriptor to wait on, until end-of-file.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.capture.fd().map(AsFd::as_fd)
    }

    /// Reads what is there now.
    pub fn drain(&mut self) {
        self.capture.drain();
    }

    /// The result, if exactly one came, complete and with the secret.
    #[must_use]
    pub fn result(&mut self) -> Option<Vec<u8>> {
        let bytes = self.capture.bytes();
        let (secret, rest) = bytes.split_at_checked(size_of::<Secret>())?;
        let (length, result) = rest.split_at_checked(size_of::<u64>())?;
        let length = u64::from_le_bytes(length.try_into().ok()?);
        (secret == self.secret && length == result.len() as u64).then(|| result.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(send: impl FnOnce(Sender)) -> Option<Vec<u8>> {
        let (sender, mut receiver) = pair().unwrap();
        send(sender);
        receiver.drain();
        receiver.result()
    }

    #[test]
    fn a_result_arrives_as_it_was_sent() {
        assert_eq!(received(|sender| sender.send(b"[1]").unwrap()), Some(b"[1]".to_vec()));
        assert_eq!(received(|sender| sender.send(b"").unwrap()), Some(Vec::new()));
    }

    #[test]
    fn anything_else_is_no_result() {
        assert_eq!(received(drop), None);
        assert_eq!(received(|sender| File::from(sender.socket).write_all(b"[]").unwrap()), None);
        let forged = |sender: Sender| Sender { secret: [7; 16], ..sender }.send(b"[]").unwrap();
        assert_eq!(received(forged), None);
        let torn =
            |sender: Sender| File::from(sender.socket).write_all(&[&sender.secret[..], &[9; 9]].concat()).unwrap();
        assert_eq!(received(torn), None);
        let more = |sender: Sender| {
            let mut twice = File::from(sender.socket.try_clone().unwrap());
            sender.send(b"[1]").unwrap();
            twice.write_all(b"[2]").unwrap();
        };
        assert_eq!(received(more), None);
    }

    #[test]
    fn the_socket_cannot_be_opened_through_proc() {
        use std::os::fd::AsRawFd;
        let (sender, _receiver) = pair().unwrap();
        let opened = File::options().write(true).open(format!("/proc/self/fd/{}", sender.socket.as_raw_fd()));
        assert_eq!(opened.unwrap_err().raw_os_error(), Some(libc::ENXIO));
    }

    #[test]
    fn a_sender_notices_the_end_of_the_supervisor() {
        let (sender, receiver) = pair().unwrap();
        assert!(!sender.is_alone().unwrap());
        drop(receiver);
        assert!(sender.is_alone().unwrap());
    }
}
