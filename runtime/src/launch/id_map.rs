//! The maps of user namespaces. user_namespaces(7).

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;

use rustix::process::{Signal, WaitId, WaitIdOptions};

use super::ChildProcess;
use super::confine::is_delegated;
use crate::config::{Config, IdMapping, NamespaceKind};
use crate::error::{Context, Error, Result};
use crate::init::Plan;
use crate::sync::{Channel, Message};
use crate::sys::{self, CloneArgs, ClonedAs};

/// Writes the maps of the user namespace that the init process was created in, and tells it.
///
/// # Errors
/// When the kernel refuses a map.
pub fn write_for(plan: &Plan<'_>, child: &ChildProcess, channel: &Channel) -> Result<()> {
    let linux = &plan.config.linux;
    if plan.joins_container() || !linux.makes(NamespaceKind::User) {
        return Ok(());
    }
    if child.later.is_some() {
        // Bootstrap was not created in it.
        match channel.receive()? {
            Some((Message::NamespacesMade, _)) => {}
            Some((Message::Failed(cause), _)) => return Err(Error::new(cause)),
            other => return Err(Error::new(format!("bootstrap said {other:?}"))),
        }
    }
    write(child.pid, &linux.uid_mappings, &linux.gid_mappings)?;
    channel.send(&Message::IdsMapped)
}

/// Writes both maps of the user namespace of process `pid`.
fn write(pid: i32, users: &[IdMapping], groups: &[IdMapping]) -> Result<()> {
    let privileged = rustix::process::geteuid().is_root();
    if !privileged && groups.len() <= 1 {
        // Without privileges the kernel takes a group map only from a process that gave up setgroups(2).
        let path = format!("/proc/{pid}/setgroups");
        fs::write(&path, "deny").doing(|| format!("write `{path}`"))?;
    }
    for (file, helper, map) in [("uid_map", "newuidmap", users), ("gid_map", "newgidmap", groups)] {
        if map.is_empty() {
            continue;
        }
        let path = format!("/proc/{pid}/{file}");
        let lines: Vec<_> =
            map.iter().map(|map| format!("{} {} {}", map.container_id, map.host_id, map.size)).collect();
        match fs::write(&path, lines.join("\n")) {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) && !privileged => run_helper(helper, pid, &lines)?,
            written => written.doing(|| format!("write `{path}`"))?,
        }
    }
    Ok(())
}

/// newuidmap(1) and newgidmap(1) may map what `/etc/subuid` and `/etc/subgid` grant to a user.
fn run_helper(helper: &str, pid: i32, lines: &[String]) -> Result<()> {
    let numbers = lines.iter().flat_map(|line| line.split(' '));
    let status = Command::new(helper).arg(pid.to_string()).args(numbers).status();
    let status = status.doing(|| format!("run {helper}, which maps more than one's own id without privileges"))?;
    if status.success() { Ok(()) } else { Err(Error::new(format!("{helper} failed: {status}"))) }
}

/// Where ids of the host count, has the configuration say what a user namespace that is joined says of them: it need not itself.
///
/// # Errors
/// When the namespace cannot be joined.
pub fn learn(config: &mut Config) -> Result<()> {
    let user = config.linux.namespace(NamespaceKind::User).and_then(|user| user.path.as_deref());
    let Some(path) = user.filter(|_| is_delegated(config) || !config.linux.devices.is_empty()) else { return Ok(()) };
    let doing = || format!("linux.namespaces: join the user namespace `{}`", path.display());
    let [users, groups] = fs::File::open(path).doing(doing).and_then(|namespace| of(&namespace.into()).doing(doing))?;
    (config.linux.uid_mappings, config.linux.gid_mappings) = (users, groups);
    Ok(())
}

/// The maps of the user namespace that `namespace` is, as this process sees the ids outside: a process that joins it has them in its
/// procfs.
///
/// # Errors
/// When it cannot be joined.
fn of(namespace: &OwnedFd) -> Result<[Vec<IdMapping>; 2]> {
    let doing = || "read the maps of the user namespace that is joined".to_owned();
    // The child lives until the maps are read; the pipes tell when it has joined, and keep it from outliving the runtime.
    let (joined, joins) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).doing(doing)?;
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).doing(doing)?;
    match sys::clone3(CloneArgs::default()).doing(doing)? {
        ClonedAs::Child => {
            drop((writer, joined));
            let told = sys::setns(namespace.as_fd(), NamespaceKind::User.clone_flag())
                .map_err(|_| ())
                .and_then(|()| rustix::io::write(&joins, &[0]).map_err(drop));
            let ended = rustix::io::read(&reader, &mut [0_u8; 1]);
            sys::exit_now(i32::from(told.is_err() || ended.is_err()))
        }
        ClonedAs::Parent { pid, pidfd } => {
            drop(joins);
            let maps = match rustix::io::read(&joined, &mut [0_u8; 1]) {
                Ok(1) => parse(pid, "uid_map").and_then(|users| Ok([users, parse(pid, "gid_map")?])),
                _ => Err(Error::new("it cannot be joined")).doing(doing),
            };
            rustix::process::pidfd_send_signal(&pidfd, Signal::KILL).doing(doing)?;
            rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED).doing(doing)?;
            maps
        }
    }
}

fn parse(pid: i32, file: &str) -> Result<Vec<IdMapping>> {
    let path = format!("/proc/{pid}/{file}");
    let text = fs::read_to_string(&path).doing(|| format!("read `{path}`"))?;
    let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
    let mapping = |line: &str| {
        let mut words = line.split_whitespace();
        let (container_id, host_id, size) = (number(words.next())?, number(words.next())?, number(words.next())?);
        Some(IdMapping { container_id, host_id, size })
    };
    text.lines()
        .map(|line| mapping(line).ok_or_else(|| Error::new(format!("`{path}` has the line `{line}`"))))
        .collect()
}

/// A user namespace that exists for its maps only, as id-mapped mounts want it.
///
/// # Errors
/// When the kernel refuses it or its maps.
pub fn user_namespace(users: &[IdMapping], groups: &[IdMapping]) -> Result<OwnedFd> {
    let doing = || "make a user namespace for the maps".to_owned();
    // The child lives until the namespace is opened; the pipe keeps it from outliving the runtime.
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).doing(doing)?;
    let args = CloneArgs { flags: NamespaceKind::User.clone_flag(), cgroup: None };
    match sys::clone3(args).doing(doing)? {
        ClonedAs::Child => {
            drop(writer);
            let ended = rustix::io::read(&reader, &mut [0_u8; 1]);
            sys::exit_now(i32::from(ended.is_err()))
        }
        ClonedAs::Parent { pid, pidfd } => {
            let opened = write(pid, users, groups).and_then(|()| {
                let namespace = fs::File::open(format!("/proc/{pid}/ns/user"));
                namespace.doing(doing)
            });
            rustix::process::pidfd_send_signal(&pidfd, Signal::KILL).doing(doing)?;
            rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED).doing(doing)?;
            opened.map(OwnedFd::from)
        }
    }
}
