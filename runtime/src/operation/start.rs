//! `start`: the program is executed.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::delete;
use crate::config::{Config, HookKind};
use crate::container::{Container, Directory, State, Status};
use crate::error::{Context, Error, Result};
use crate::hook;
use crate::launch::socket_address;
use crate::log;
use crate::notify::Notify;
use crate::sync::{Channel, Message};

/// Starts a created container and waits until its program was executed and the poststart hooks ran; for a service `manager` also
/// until it is ready.
///
/// # Errors
/// When the container is not created, its process cannot execute the program, or a hook fails; in the last two cases
/// the container is destroyed.
pub fn start(root: &Path, id: &str, manager: Option<&OsStr>) -> Result<()> {
    let directory = Directory::open(root, id)?;
    let lock = directory.lock()?;
    let container = Container::find(root, id)?;
    let status = container.status();
    if status != Status::Created {
        return Err(Error::new(format!("container `{id}` is {}, not created", status.name())));
    }
    let config = container.config()?;
    if config.process.is_none() {
        return Err(Error::new("process: is needed to start a container"));
    }
    let notify = manager.map_or(Ok(None), |manager| Notify::listen(&directory, manager))?;
    let connection = connect(&directory)?;
    std::fs::remove_file(directory.start_socket()).doing(|| "take the start socket away".into())?;
    let started = wait_for_program(&Channel::over(connection));
    log::debug(if started.is_ok() { "the program runs" } else { "the program does not run" });
    // Hooks may use the runtime on the container.
    drop(lock);
    let started = started.and_then(|()| poststart(&container, &config));
    started.inspect_err(|_| delete::destroy_failed(&container, &config))?;
    notify.map_or(Ok(()), |notify| wait_until_ready(&container, &notify))
}

/// A service manager goes on when the program says that it is ready, or has ended.
fn wait_until_ready(container: &Container, notify: &Notify) -> Result<()> {
    let record = container.record()?;
    match record.pidfd().doing(|| "find the program".into())? {
        Some(program) => notify.relay(program.as_fd(), record.pid),
        None => Ok(()),
    }
}

fn connect(directory: &Directory) -> Result<OwnedFd> {
    let doing = || format!("reach the process of container `{}`", directory.id);
    let kind = SocketType::SEQPACKET;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).doing(doing)?;
    let (_opened, address) = socket_address(directory, "start.sock")?;
    rustix::net::connect(&socket, &address).doing(doing)?;
    Ok(socket)
}

fn wait_for_program(channel: &Channel) -> Result<()> {
    let mut executing = false;
    while let Some((message, _)) = channel.receive()? {
        match message {
            Message::Executing => executing = true,
            Message::Warning(text) => log::warn(&text),
            Message::Failed(cause) => return Err(Error::new(cause)),
            other => return Err(Error::new(format!("the container's process said {other:?}"))),
        }
    }
    if executing { Ok(()) } else { Err(Error::new("the container's process ended before its program was executed")) }
}

/// The hooks after the program was executed.
///
/// # Errors
/// The first that fails.
pub fn poststart(container: &Container, config: &Config) -> Result<()> {
    let record = container.record()?;
    let id = &container.directory.id;
    let state = State::new(id, Status::Running, Some(record.pid), &record.bundle, &config.annotations);
    hook::run_all(&config.hooks, HookKind::Poststart, &state)
}
