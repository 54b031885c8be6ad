//! The talk between the runtime and the container's init process.
//!
//! ```text
//! runtime                                        init process
//!                       ◄── InitPid ───────────  on a socket of its own: bootstrap, which made the init process, and
//!                                                which has said `Console` and `Warning` there before
//! asks systemd          ─── Adopted ───────────► (systemd manager only)
//! makes the network     ─── Network ───────────► with the namespace (without a user namespace)
//!                       ◄── NamespacesMade ────  bootstrap, which makes a new user namespace while it lives
//! oom score, resctrl    ─── Equipped ──────────► bootstrap that makes a process for hooks, which is to have the same
//! maps the ids          ─── IdsMapped ─────────► (new user namespace only)
//! device rules hold     ◄── DevicesMade ───────  a rule could have denied it
//! runs createRuntime …  ◄── EnvironmentReady ──  mounts are made, `/` is still the host's; if anybody waits for that
//!                       ─── GoOn ──────────────►
//!                       ◄── Console ───────────  with the terminal
//! takes the listener    ◄── Filtering ─────────  a seccomp filter that notifies is about to be installed
//!                       ◄── Warning, Step ─────  any number, at any time
//! writes the record     ◄── Ready ─────────────  all is set up but the program
//!                       ─── Recorded ──────────► from here on the init process outlives the runtime
//!                       ◄── end of file ───────  after `create`: it waits for `start`, which hears the rest
//!                       ◄── Executing ─────────
//!                       ◄── end of file ───────  the program runs
//!                       ◄── Failed ────────────  at any time, with the step and the whole cause
//! ```
//! The socket keeps messages apart (`SOCK_SEQPACKET`) and is closed by execve(2). End of file alone would not tell a
//! program that runs from a process that was killed, so `Executing` comes ahead of it.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType,
};

use crate::error::{Context, Error, Result};
use crate::log;

/// The longest message; what is longer is cut off.
const LONGEST: usize = 8 * 1024;

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The number of the init process, which bootstrap made.
    InitPid(i32),
    /// A descriptor comes along: the network namespace.
    Network,
    /// A descriptor comes along: a file system that was made in the container's pid namespace.
    Mounted,
    /// The namespaces of the container are made, the user namespace among them.
    NamespacesMade,
    /// The manager has moved the init process into its cgroup.
    Adopted,
    /// The process has what the runtime gives it from outside, its children too.
    Equipped,
    /// The user namespace has its maps.
    IdsMapped,
    /// The device nodes exist.
    DevicesMade,
    /// Namespaces and mounts exist, the root is not changed yet.
    EnvironmentReady,
    /// The runtime has done its part for the environment.
    GoOn,
    /// A descriptor comes along: the runtime's end of the terminal.
    Console,
    /// A seccomp filter that notifies is about to be installed.
    Filtering,
    /// All is set up but the program.
    Ready,
    /// The record is on disk.
    Recorded,
    /// The next step is execve(2).
    Executing,
    /// Something the caller should know; the set-up goes on.
    Warning(String),
    /// The set-up failed: the step and its cause.
    Failed(String),
    /// The step that begins, for `--debug`.
    Step(String),
}

impl Message {
    fn encode(&self) -> Vec<u8> {
        let (tag, text) = match self {
            Self::InitPid(pid) => (0, pid.to_string()),
            Self::IdsMapped => (1, String::new()),
            Self::EnvironmentReady => (2, String::new()),
            Self::GoOn => (3, String::new()),
            Self::Console => (4, String::new()),
            Self::Filtering => (5, String::new()),
            Self::Ready => (6, String::new()),
            Self::Recorded => (7, String::new()),
            Self::Executing => (8, String::new()),
            Self::Warning(text) => (9, text.clone()),
            Self::Failed(text) => (10, text.clone()),
            Self::Adopted => (11, String::new()),
            Self::Network => (12, String::new()),
            Self::DevicesMade => (13, String::new()),
            Self::Mounted => (14, String::new()),
            Self::NamespacesMade => (15, String::new()),
            Self::Step(text) => (16, text.clone()),
            Self::Equipped => (17, String::new()),
        };
        let mut bytes = vec![tag];
        bytes.extend(text.as_bytes());
        bytes.truncate(LONGEST);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (tag, text) = bytes.split_first()?;
        let text = || printable(&String::from_utf8_lossy(text));
        Some(match tag {
            0 => Self::InitPid(text().parse().ok()?),
            1 => Self::IdsMapped,
            2 => Self::EnvironmentReady,
            3 => Self::GoOn,
            4 => Self::Console,
            5 => Self::Filtering,
            6 => Self::Ready,
            7 => Self::Recorded,
            8 => Self::Executing,
            9 => Self::Warning(text()),
            10 => Self::Failed(text()),
            11 => Self::Adopted,
            12 => Self::Network,
            13 => Self::DevicesMade,
            14 => Self::Mounted,
            15 => Self::NamespacesMade,
            16 => Self::Step(text()),
            17 => Self::Equipped,
            _ => return None,
        })
    }
}

/// Without what drives a terminal: who says it may have become the container's.
fn printable(text: &str) -> String {
    let shown = |letter: char| if letter.is_control() { letter.escape_default().to_string() } else { letter.into() };
    text.chars().map(shown).collect()
}

/// One end of the socket.
#[derive(Debug)]
pub struct Channel(OwnedFd);

impl Channel {
    /// A connected pair.
    ///
    /// # Errors
    /// As socketpair(2).
    pub fn pair() -> Result<(Self, Self)> {
        let pair = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        pair.map(|(one, other)| (Self(one), Self(other))).doing(|| "make a pair of sockets".into())
    }

    /// The channel over a socket that is connected already.
    pub fn over(socket: OwnedFd) -> Self {
        Self(socket)
    }

    /// Says `message`.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn send(&self, message: &Message) -> Result<()> {
        // A filter of system calls may be in force by now: write(2) is what each program needs. SIGPIPE is ignored.
        let sent = rustix::io::write(&self.0, &message.encode());
        sent.doing(|| "talk to the other process".into()).map(drop)
    }

    /// Says `message` and hands a descriptor over.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn send_with(&self, message: &Message, fd: BorrowedFd<'_>) -> Result<()> {
        send_with_fds(self.0.as_fd(), &message.encode(), &[fd])
    }

    /// Waits for the next message; nothing is the end of file. What is said of the progress goes to the log.
    ///
    /// # Errors
    /// As recvmsg(2), or when it is no message.
    pub fn receive(&self) -> Result<Option<(Message, Option<OwnedFd>)>> {
        loop {
            match self.receive_any()? {
                Some((Message::Step(step), _)) => log::debug(&step),
                received => return Ok(received),
            }
        }
    }

    fn receive_any(&self) -> Result<Option<(Message, Option<OwnedFd>)>> {
        let mut bytes = [0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            match rustix::net::recvmsg(&self.0, &mut slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                // The other side ended with something unread: that is told once, ahead of what it said before.
                Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNRESET) => {}
                received => break received.doing(|| "listen to the other process".into())?,
            }
        };
        if received.bytes == 0 {
            return Ok(None);
        }
        let fd = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        let message = Message::decode(&bytes[..received.bytes]);
        message.map(|message| Some((message, fd))).ok_or_else(|| Error::new("unknown message from the other process"))
    }

    /// Waits for `expected` and nothing else.
    ///
    /// # Errors
    /// When the other side is gone or says something else.
    pub fn expect(&self, expected: &Message) -> Result<()> {
        self.expect_some(expected).map(drop)
    }

    /// As [`Channel::expect`], with read(2), which no filter of system calls denies.
    ///
    /// # Errors
    /// As [`Channel::expect`].
    pub fn expect_alone(&self, expected: &Message) -> Result<()> {
        let mut bytes = [0; LONGEST];
        let length = loop {
            match rustix::io::read(&self.0, &mut bytes) {
                Err(rustix::io::Errno::INTR | rustix::io::Errno::CONNRESET) => {}
                length => break length.doing(|| "listen to the other process".into())?,
            }
        };
        let message = Message::decode(&bytes[..length]);
        if message.as_ref() == Some(expected) {
            Ok(())
        } else {
            Err(Error::new(format!("the other process said {message:?}")))
        }
    }

    /// Waits for `expected` with its descriptor.
    ///
    /// # Errors
    /// As [`Channel::expect`], or when there is no descriptor.
    pub fn expect_with(&self, expected: &Message) -> Result<OwnedFd> {
        self.expect_some(expected)?.ok_or_else(|| Error::new("the other process sent no descriptor"))
    }

    fn expect_some(&self, expected: &Message) -> Result<Option<OwnedFd>> {
        match self.receive()? {
            Some((message, fd)) if message == *expected => Ok(fd),
            Some((message, _)) => {
                Err(Error::new(format!("the other process said {message:?} instead of {expected:?}")))
            }
            None => Err(Error::new("the other process is gone")),
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Sends `bytes` with descriptors beside them. unix(7), `SCM_RIGHTS`.
///
/// # Errors
/// As sendmsg(2).
pub fn send_with_fds(socket: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Error::new("too many descriptors for one message"));
    }
    let sent = rustix::net::sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL);
    sent.doing(|| "send a descriptor".into()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_arrives_with_its_descriptor() {
        let (one, other) = Channel::pair().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        one.send_with(&Message::Console, file.as_fd()).unwrap();
        one.send(&Message::Failed("mount `/x`: ENOENT".into())).unwrap();
        one.send(&Message::InitPid(42)).unwrap();
        one.send(&Message::Warning("\u{1b}[2Jgone\n".into())).unwrap();
        drop(one);
        let (message, fd) = other.receive().unwrap().unwrap();
        assert!(message == Message::Console && fd.is_some());
        let (message, fd) = other.receive().unwrap().unwrap();
        assert!(message == Message::Failed("mount `/x`: ENOENT".into()) && fd.is_none());
        other.expect(&Message::InitPid(42)).unwrap();
        other.expect(&Message::Warning("\\u{1b}[2Jgone\\n".into())).unwrap();
        assert!(other.receive().unwrap().is_none());
    }

    #[test]
    fn last_words_are_heard_even_if_the_speaker_did_not_listen() {
        let (one, other) = Channel::pair().unwrap();
        other.send(&Message::GoOn).unwrap();
        one.send(&Message::Failed("a cause".into())).unwrap();
        drop(one);
        assert_eq!(other.receive().unwrap().unwrap().0, Message::Failed("a cause".into()));
        assert!(other.receive().unwrap().is_none());
    }
}
