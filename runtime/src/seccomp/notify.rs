//! Handing a listener to the agent that answers its notifications.
//! Specification: `config-linux.md#containerprocessstate`.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
    connect, send, sendmsg, socket_with,
};
use serde::Serialize;

use crate::error::{Context, Result};

/// How long an agent may be too busy to take a connection or a message.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The container process state. `S` is the state as the `state` operation prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessState<'a, S> {
    /// Release of the specification that the document follows.
    pub oci_version: &'a str,
    /// Names of the descriptors that come along.
    pub fds: [&'a str; 1],
    /// The process, as the runtime sees it.
    pub pid: i32,
    /// `listenerMetadata`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<&'a str>,
    /// State of the container.
    pub state: S,
}

impl<'a, S> ProcessState<'a, S> {
    /// The state of a process whose listener is sent along.
    pub fn new(oci_version: &'a str, pid: i32, metadata: Option<&'a str>, state: S) -> Self {
        Self { oci_version, fds: ["seccompFd"], pid, metadata, state }
    }
}

/// Sends the state and the listener to the socket at `path`, over a connection of their own that is closed after it.
///
/// # Errors
/// When nobody listens there, or takes the message in ten seconds.
pub fn send_listener<S: Serialize>(path: &Path, state: &ProcessState<'_, S>, listener: &OwnedFd) -> Result<()> {
    let message = serde_json::to_vec(state).doing(|| "write the container process state".into())?;
    transmit(path, &message, listener.as_fd())
        .doing(|| format!("linux.seccomp.listenerPath: hand the listener to `{}`", path.display()))
}

fn transmit(path: &Path, message: &[u8], listener: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(TIMEOUT))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    let descriptors = [listener];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(Errno::NOBUFS);
    }
    // The descriptor goes with the first part, whatever the socket takes of it.
    let mut sent = sendmsg(&socket, &[IoSlice::new(message)], &mut ancillary, SendFlags::NOSIGNAL)?;
    while sent < message.len() {
        sent += send(&socket, &message[sent..], SendFlags::NOSIGNAL)?;
    }
    Ok(())
}
