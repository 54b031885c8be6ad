//! The container's network namespace, which the runtime makes while the init process makes its mounts.
//!
//! The kernel takes longer for it than for all other namespaces together: about as long as the init process needs until
//! it has a use for it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use crate::config::{Linux, NamespaceKind};
use crate::error::{Context, Result};
use crate::init::Plan;
use crate::sync::{Channel, Message};
use crate::{netlink, procfs, sys};

/// The network namespace of the runtime, when it can make another one for the container and come back: with a user
/// namespace of its own a container has to make its network itself, for that to belong to it; and a runtime that is in one
/// may have no rights over the network around it.
///
/// # Errors
/// When it cannot be opened.
pub fn own(linux: &Linux, proc: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    if !linux.makes(NamespaceKind::Network) || linux.has_user_namespace() {
        return Ok(None);
    }
    let own = open(proc)?;
    Ok(join(own.as_fd()).is_ok().then_some(own))
}

/// Makes the namespace and sends it to the init process, when that waits for it.
///
/// # Errors
/// When it cannot be made, or the runtime cannot come back to its own.
pub fn make(plan: &Plan<'_>, channel: &Channel) -> Result<()> {
    let Some(own) = &plan.own_network else { return Ok(()) };
    sys::unshare(NamespaceKind::Network.clone_flag()).doing(|| "make the network namespace".into())?;
    let made = send(plan, channel)
        // The init process goes on meanwhile.
        .and_then(|()| netlink::loopback_up().doing(|| "bring the loopback device up".into()));
    join(own.as_fd()).doing(|| "come back to the network of the runtime".into())?;
    made
}

fn send(plan: &Plan<'_>, channel: &Channel) -> Result<()> {
    match channel.send_with(&Message::Network, open(plan.proc.as_fd())?.as_fd()) {
        // A process that is gone has said why, which is heard next.
        Err(error) if error.errno() == Some(libc::EPIPE) => Ok(()),
        sent => sent,
    }
}

/// The network namespace that this process is in.
fn open(proc: BorrowedFd<'_>) -> Result<OwnedFd> {
    procfs::open_link(proc, Path::new("self/ns/net"))
}

fn join(network: BorrowedFd<'_>) -> std::io::Result<()> {
    sys::setns(network, NamespaceKind::Network.clone_flag())
}
