//! Namespaces: what a clone could not do. namespaces(7).

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::thread::{Gid, Uid};

use super::{Entering, Init, schedule};
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
pub(crate) fn become_root() -> Result<()> {
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

/// Bootstrap joins the namespaces with a path while it has the rights of the host, and makes those that a first process is
/// otherwise born in. Hooks should not be born in the pid namespace, since they have the root of the host: it comes last, but
/// for a user namespace, which takes the rights over it away.
pub(super) fn enter_at_once(init: &mut Init<'_>) -> Result<()> {
    let plan = init.plan;
    let Entering::Create { joined } = &plan.entering else { return Ok(()) };
    let join = |kind: NamespaceKind, fd: &OwnedFd| {
        sys::setns(fd.as_fd(), kind.clone_flag()).doing(|| format!("join the {} namespace", kind.name()))
    };
    let late = |kind| kind == NamespaceKind::Pid && !plan.config.linux.has_user_namespace();
    let mut denied = Vec::new();
    for (kind, fd) in joined.iter().filter(|(kind, _)| *kind != NamespaceKind::User && !late(*kind)) {
        match join(*kind, fd) {
            Err(error) if error.errno() == Some(libc::EPERM) && plan.joined(NamespaceKind::User).is_some() => {
                denied.push((*kind, fd));
            }
            done => {
                done?;
                init.enters_pid_namespace &= *kind != NamespaceKind::Pid;
            }
        }
    }
    if let Some((kind, fd)) = joined.iter().find(|(kind, _)| *kind == NamespaceKind::User) {
        join(*kind, fd)?;
        become_root()?;
        super::die_with_runtime()?;
    }
    for (kind, fd) in denied.into_iter().filter(|(kind, _)| *kind != NamespaceKind::Pid) {
        join(kind, fd)?;
    }
    sys::unshare(plan.is_born_in()).doing(|| "make namespaces".into())?;
    if plan.config.linux.makes(NamespaceKind::User) { init.channel.send(&Message::NamespacesMade) } else { Ok(()) }
}

/// Has the next child born in the pid namespace that is joined.
pub(super) fn enter_pid(init: &mut Init<'_>) -> Result<()> {
    let Some(pid) = init.plan.joined(NamespaceKind::Pid).filter(|_| init.enters_pid_namespace) else { return Ok(()) };
    sys::setns(pid, NamespaceKind::Pid.clone_flag()).doing(|| "join it".into())
}

/// Joins the namespaces with a path, and makes those that a clone cannot make: a cgroup namespace takes the cgroup of
/// its maker for its root, and the clocks of a time namespace are set before anything lives in it.
pub(super) fn enter(init: &mut Init<'_>) -> Result<()> {
    let Entering::Create { joined } = &init.plan.entering else { return Ok(()) };
    let linux = &init.plan.config.linux;
    // For the first process of a new user namespace, bootstrap joined them, and where processes are shared; a user namespace
    // is joined there always.
    let early = linux.makes(NamespaceKind::User) || init.plan.shares_processes();
    let here = |kind: NamespaceKind| !early && kind != NamespaceKind::User;
    for (kind, fd) in joined.iter().filter(|(kind, _)| here(*kind)) {
        sys::setns(fd.as_fd(), kind.clone_flag()).doing(|| format!("join the {} namespace", kind.name()))?;
    }
    if linux.makes(NamespaceKind::Cgroup) {
        sys::unshare(NamespaceKind::Cgroup.clone_flag()).doing(|| "make a cgroup namespace".into())?;
    }
    if linux.makes(NamespaceKind::Time) {
        make_time_namespace(init)?;
    }
    Ok(())
}

/// A process that unshares its time namespace stays outside, its children would be inside: so the clocks can be set,
/// and then it joins.
fn make_time_namespace(init: &Init<'_>) -> Result<()> {
    sys::unshare(NamespaceKind::Time.clone_flag()).doing(|| "make a time namespace".into())?;
    let proc = init.plan.proc.as_fd();
    for (clock, offset) in &init.plan.config.linux.time_offsets {
        let line = format!("{clock} {} {}", offset.secs, offset.nanosecs);
        procfs::write(proc, Path::new("self/timens_offsets"), &line)?;
    }
    let namespace = procfs::open_link(proc, Path::new("self/ns/time_for_children"))?;
    sys::setns(namespace.as_fd(), NamespaceKind::Time.clone_flag()).doing(|| "join the new time namespace".into())
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
