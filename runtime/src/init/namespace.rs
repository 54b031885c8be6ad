//! Namespaces: what a clone could not do. namespaces(7).

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::thread::{Gid, Uid};

use super::{Entering, Init, Plan, schedule};
use crate::cgroup::Entry;
use crate::config::NamespaceKind;
use crate::error::{Context, Result};
use crate::launch::confine;
use crate::sync::Message;
use crate::{netlink, procfs, sys};

/// Enters the cgroup before the cgroup namespace is made, which takes it for its root.
pub(super) fn enter_cgroup(init: &mut Init<'_>) -> Result<()> {
    let gateway = &init.plan.gateway;
    if gateway.waits {
        init.channel.expect(&Message::Adopted)?;
    }
    if let Some(cgroup) = &gateway.own {
        confine::make(&**cgroup, init.plan.config)?;
        gateway.entry.replace(Some(cgroup.entry(None)?));
    }
    // All that `delete` has to find is there now.
    drop(init.lock.take());
    gateway.entry.take().map_or(Ok(()), Entry::join)?;
    // The processors of the container are those of its cgroup, whichever the runtime itself is bound to; a process that `exec`
    // adds may have been bound for good before it came here.
    let affinity = init.plan.process.and_then(|process| process.exec_cpu_affinity.as_ref());
    if init.plan.joins_container() && affinity.is_some() { Ok(()) } else { schedule::unbind() }
}

/// Waits until the runtime has written the maps of a new user namespace, and becomes its root.
pub(super) fn wait_for_maps(init: &mut Init<'_>) -> Result<()> {
    if !init.plan.config.linux.makes(NamespaceKind::User) {
        return Ok(());
    }
    init.channel.expect(&Message::IdsMapped)?;
    become_root()
}

/// Becomes root of the user namespace, as far as it has one.
pub(super) fn become_root() -> Result<()> {
    let (root, group) = (Uid::ROOT, Gid::ROOT);
    // Where setgroups(2) is denied the groups of the caller stay.
    match rustix::thread::set_thread_groups(&[]) {
        Err(rustix::io::Errno::PERM) => {}
        dropped => dropped.doing(|| "drop the supplementary groups".into())?,
    }
    rustix::thread::set_thread_res_gid(group, group, group).doing(|| "become group 0 of the user namespace".into())?;
    rustix::thread::set_thread_res_uid(root, root, root).doing(|| "become user 0 of the user namespace".into())
}

/// Joins those of the container. A pid namespace is that of the children.
pub(super) fn join_container(init: &mut Init<'_>) -> Result<()> {
    let Entering::Container { pidfd, flags } = &init.plan.entering else { return Ok(()) };
    let user = NamespaceKind::User.clone_flag();
    let join = |flags| match flags {
        0 => Ok(()),
        flags => sys::setns(pidfd.as_fd(), flags),
    };
    let joining = || "join those of the container".to_owned();
    // The rights of the host reach them all, those of the user namespace only what belongs to that.
    let early = match join(flags & !user) {
        Err(error) if flags & user != 0 && error.raw_os_error() == Some(libc::EPERM) => false,
        joined => joined.doing(joining).map(|()| true)?,
    };
    if flags & user != 0 {
        join(user).doing(|| "join the user namespace of the container".into())?;
        become_root()?;
    }
    if early { Ok(()) } else { join(flags & !user).doing(joining) }?;
    // Whoever changes its rights no longer depends on its parent.
    super::die_with_runtime()
}

/// Joins the namespaces with a path of the kinds that `now` chooses, and returns which it has joined. The rights of the host reach
/// most of them, so the user namespace comes after those; to what they do not reach, that of a runtime without privileges, only the
/// user namespace gives rights.
pub(crate) fn join(plan: &Plan<'_>, now: impl Fn(NamespaceKind) -> bool) -> Result<Vec<NamespaceKind>> {
    let Entering::Create { joined } = &plan.entering else { return Ok(Vec::new()) };
    let join = |kind: NamespaceKind, fd: &OwnedFd| {
        sys::setns(fd.as_fd(), kind.clone_flag()).doing(|| format!("join the {} namespace", kind.name()))
    };
    let user = joined.iter().find(|(kind, _)| *kind == NamespaceKind::User);
    let (mut done, mut denied) = (Vec::new(), Vec::new());
    for (kind, fd) in joined.iter().filter(|(kind, _)| *kind != NamespaceKind::User && now(*kind)) {
        match join(*kind, fd) {
            Err(error) if error.errno() == Some(libc::EPERM) && user.is_some() => denied.push((*kind, fd)),
            joined => joined.map(|()| done.push(*kind))?,
        }
    }
    if let Some((kind, fd)) = user {
        join(*kind, fd)?;
        become_root()?;
        super::die_with_runtime()?;
    }
    // The pid namespace is for the children, and has a step of its own.
    for (kind, fd) in denied.into_iter().filter(|(kind, _)| *kind != NamespaceKind::Pid) {
        join(kind, fd)?;
        done.push(kind);
    }
    Ok(done)
}

/// Bootstrap joins the namespaces with a path, and makes those that an init process is otherwise created in. Hooks should not be created
/// in the pid namespace, since they have the root of the host: it comes last, but for a user namespace, which takes the rights over
/// it away.
pub(super) fn enter_at_once(init: &mut Init<'_>) -> Result<()> {
    let plan = init.plan;
    let late = |kind| kind == NamespaceKind::Pid && !plan.config.linux.has_user_namespace();
    let joined = join(plan, |kind| !late(kind))?;
    init.enters_pid_namespace &= !joined.contains(&NamespaceKind::Pid);
    sys::unshare(plan.clone_flags()).doing(|| "make namespaces".into())?;
    if plan.config.linux.makes(NamespaceKind::User) { init.channel.send(&Message::NamespacesMade) } else { Ok(()) }
}

/// Has the next child created in the pid namespace that is joined.
pub(super) fn enter_pid(init: &mut Init<'_>) -> Result<()> {
    let Some(pid) = init.plan.joined(NamespaceKind::Pid).filter(|_| init.enters_pid_namespace) else { return Ok(()) };
    sys::setns(pid, NamespaceKind::Pid.clone_flag()).doing(|| "join it".into())
}

/// Joins the namespaces with a path, and makes those that a clone cannot make: a cgroup namespace takes the cgroup of
/// its maker for its root, and the clocks of a time namespace are set before anything lives in it.
pub(super) fn enter(init: &mut Init<'_>) -> Result<()> {
    let plan = init.plan;
    let linux = &plan.config.linux;
    // Where there is a bootstrap, that has joined them.
    if !linux.has_user_namespace() && !plan.shares_processes() {
        join(plan, |_| true)?;
    }
    if linux.makes(NamespaceKind::Cgroup) {
        sys::unshare(NamespaceKind::Cgroup.clone_flag()).doing(|| "make a cgroup namespace".into())?;
    }
    if linux.makes(NamespaceKind::Time) && !plan.clones_time_namespace() {
        let clocks = init.clocks.take();
        make_time_namespace(plan, clocks)?;
        let namespace = procfs::open_link(plan.proc.as_fd(), Path::new("self/ns/time_for_children"))?;
        return sys::setns(namespace.as_fd(), NamespaceKind::Time.clone_flag())
            .doing(|| "join the new time namespace".into());
    }
    Ok(())
}

/// The file that sets the clocks of a time namespace. Whoever becomes another user, as in a user namespace, no longer owns its own
/// files in `/proc`, so there it is opened before that.
pub(crate) fn open_clocks(plan: &Plan<'_>) -> Result<Option<OwnedFd>> {
    let linux = &plan.config.linux;
    let is_needed = linux.has_user_namespace() && linux.makes(NamespaceKind::Time) && !linux.time_offsets.is_empty();
    is_needed.then(|| clocks(plan)).transpose()
}

fn clocks(plan: &Plan<'_>) -> Result<OwnedFd> {
    procfs::open_to_write(plan.proc.as_fd(), Path::new("self/timens_offsets"))
}

pub(super) fn prepare_clocks(init: &mut Init<'_>) -> Result<()> {
    if !init.plan.clones_time_namespace() {
        init.clocks = open_clocks(init.plan)?;
    }
    Ok(())
}

/// A process that unshares its time namespace stays outside, its children will be inside: so the clocks can be set.
pub(crate) fn make_time_namespace(plan: &Plan<'_>, opened: Option<OwnedFd>) -> Result<()> {
    sys::unshare(NamespaceKind::Time.clone_flag()).doing(|| "make a time namespace".into())?;
    if plan.config.linux.time_offsets.is_empty() {
        return Ok(());
    }
    let clocks = opened.map_or_else(|| clocks(plan), Ok)?;
    let offsets = plan.config.linux.time_offsets.iter();
    let lines: Vec<_> = offsets.map(|(clock, at)| format!("{clock} {} {}", at.secs, at.nanosecs)).collect();
    // The kernel takes them at once or not at all.
    let written = rustix::io::write(&clocks, lines.join("\n").as_bytes());
    written.map(drop).doing(|| format!("linux.timeOffsets: set `{}`", lines.join(", ")))
}

/// Host and domain name.
pub(super) fn set_names(init: &mut Init<'_>) -> Result<()> {
    let config = init.plan.config;
    if let Some(name) = config.hostname.as_deref().filter(|name| !name.is_empty()) {
        rustix::system::sethostname(name.as_bytes()).doing(|| format!("to `{name}`"))?;
    }
    if let Some(name) = config.domainname.as_deref().filter(|name| !name.is_empty()) {
        rustix::system::setdomainname(name.as_bytes()).doing(|| format!("set the domain name to `{name}`"))?;
    }
    Ok(())
}

/// Joins the network namespace that the runtime has made meanwhile, as late as can be. One that was made by the clone has
/// a loopback device that is down.
pub(super) fn network(init: &mut Init<'_>) -> Result<()> {
    if std::mem::replace(&mut init.has_network, true) || !init.plan.config.linux.makes(NamespaceKind::Network) {
        return Ok(());
    }
    if init.plan.own_network.is_none() {
        return netlink::loopback_up().doing(|| "bring the loopback device up".into());
    }
    let namespace = init.channel.expect_with(&Message::Network)?;
    sys::setns(namespace.as_fd(), NamespaceKind::Network.clone_flag()).doing(|| "join it".into())
}
