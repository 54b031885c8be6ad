//! The maps of user namespaces. user_namespaces(7).

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;

use rustix::process::{Signal, WaitId, WaitIdOptions};

use super::Newborn;
use crate::config::{IdMapping, NamespaceKind};
use crate::error::{Context, Error, Result};
use crate::init::Plan;
use crate::sync::{Channel, Message};
use crate::sys::{self, CloneArgs, ClonedAs};

/// Writes the maps of the user namespace that the first process was born in, and tells it.
///
/// # Errors
/// When the kernel refuses a map.
pub fn write_for(plan: &Plan<'_>, newborn: &Newborn, channel: &Channel) -> Result<()> {
    let linux = &plan.config.linux;
    if plan.joins_container() || !linux.makes(NamespaceKind::User) {
        return Ok(());
    }
    if newborn.later.is_some() {
        // Bootstrap was not born in it.
        match channel.receive()? {
            Some((Message::NamespacesMade, _)) => {}
            Some((Message::Failed(cause), _)) => return Err(Error::new(cause)),
            other => return Err(Error::new(format!("bootstrap said {other:?}"))),
        }
    }
    write(newborn.pid, &linux.uid_mappings, &linux.gid_mappings)?;
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
