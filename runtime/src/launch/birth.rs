//! The clone. In the common case one clone3(2) with all namespaces makes the first process. A second process stands in
//! between, bootstrap, only where rights demand it: when a user namespace is joined, when namespaces of the host are
//! joined by the first process of a new user namespace, and when the runtime, in a user namespace itself, could not
//! come back from a pid namespace. It makes the first process a child of the runtime
//! (`CLONE_PARENT`) and ends.

use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};

use crate::config::NamespaceKind;
use crate::container::Lock;
use crate::error::{Context, Error, Result};
use crate::init::{self, Entering, Plan};
use crate::procfs;
use crate::sync::{Channel, Message};
use crate::sys::{self, CloneArgs, ClonedAs};

/// The first process, as the runtime sees it.
#[derive(Debug)]
pub struct Newborn {
    /// Its number.
    pub pid: i32,
    /// A descriptor for it.
    pub pidfd: OwnedFd,
}

/// Makes the first process, which starts with [`init::main`], and returns the channel to it. Both hold the lock then: the
/// first process until there is nothing more to come that `delete` has to find.
///
/// # Errors
/// When the kernel refuses the clone, or bootstrap fails.
pub fn birth(plan: &Plan<'_>, lock: Option<Lock>) -> Result<(Newborn, Channel, Option<Lock>)> {
    let (ours, theirs) = Channel::pair()?;
    if needs_bootstrap(plan) {
        return through_bootstrap(plan, ours, theirs, lock);
    }
    let outer = enter_pid_namespace(plan)?;
    let cgroup = plan.gateway.directory.as_ref().map(OwnedFd::as_fd);
    let args = CloneArgs { flags: flags(plan), cgroup };
    match sys::clone3(args).doing(|| "clone the first process".into())? {
        ClonedAs::Child => {
            drop(ours);
            init::main(plan, theirs, lock)
        }
        ClonedAs::Parent { pid, pidfd } => {
            if let Some(outer) = outer {
                let back = sys::setns(outer.as_fd(), NamespaceKind::Pid.clone_flag());
                back.doing(|| "leave the container's pid namespace".into())?;
            }
            Ok((Newborn { pid, pidfd }, ours, lock))
        }
    }
}

/// The namespaces that the clone makes.
fn flags(plan: &Plan<'_>) -> u64 {
    if plan.joins_container() { 0 } else { plan.is_born_in() }
}

fn joins(plan: &Plan<'_>, kind: NamespaceKind) -> bool {
    match &plan.entering {
        Entering::Container { flags, .. } => flags & kind.clone_flag() != 0,
        Entering::Create { .. } => plan.joined(kind).is_some(),
    }
}

fn needs_bootstrap(plan: &Plan<'_>) -> bool {
    // Who is root in a user namespace alone has no way back to the pid namespace around that.
    let never_comes_back = || joins(plan, NamespaceKind::Pid) && procfs::in_user_namespace();
    joins(plan, NamespaceKind::User) || joins_for_new_user_namespace(plan) || never_comes_back()
}

/// Whether namespaces of the host are joined by the first process of a new user namespace.
fn joins_for_new_user_namespace(plan: &Plan<'_>) -> bool {
    let joins_any = NamespaceKind::ALL.into_iter().any(|kind| joins(plan, kind));
    plan.config.linux.makes(NamespaceKind::User) && joins_any && !plan.joins_container()
}

/// Joins a namespace of one kind on behalf of the process that is about to be cloned.
fn join(plan: &Plan<'_>, kind: NamespaceKind) -> Result<()> {
    let flag = kind.clone_flag();
    let joined = match &plan.entering {
        Entering::Container { pidfd, .. } => sys::setns(pidfd.as_fd(), flag),
        Entering::Create { .. } => plan.joined(kind).map_or(Ok(()), |fd| sys::setns(fd, flag)),
    };
    joined.doing(|| format!("join the {} namespace", kind.name()))
}

/// Joining a pid namespace places the children of a process only. Returns the namespace to come back to.
fn enter_pid_namespace(plan: &Plan<'_>) -> Result<Option<OwnedFd>> {
    if !joins(plan, NamespaceKind::Pid) {
        return Ok(None);
    }
    let outer = procfs::open_link(plan.proc.as_fd(), "self/ns/pid".as_ref())?;
    join(plan, NamespaceKind::Pid)?;
    Ok(Some(outer))
}

fn through_bootstrap(
    plan: &Plan<'_>,
    ours: Channel,
    theirs: Channel,
    lock: Option<Lock>,
) -> Result<(Newborn, Channel, Option<Lock>)> {
    // Bootstrap is born in the cgroup, and the first process with it: in a user namespace there are no rights over it.
    let cgroup = plan.gateway.directory.as_ref().map(OwnedFd::as_fd);
    // The first process may talk before bootstrap has told its number, so each has a socket of its own.
    let (number, announces) = Channel::pair()?;
    match sys::clone3(CloneArgs { flags: 0, cgroup }).doing(|| "clone bootstrap".into())? {
        ClonedAs::Child => {
            drop((lock, ours, number));
            bootstrap(plan, theirs, announces)
        }
        ClonedAs::Parent { pidfd, .. } => {
            drop((theirs, announces));
            let pid = match number.receive()? {
                Some((Message::InitPid(pid), _)) => pid,
                Some((Message::Failed(cause), _)) => return Err(Error::new(cause)),
                other => return Err(Error::new(format!("bootstrap said {other:?}"))),
            };
            let ended = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
            ended.doing(|| "wait for bootstrap".into())?;
            let number = Pid::from_raw(pid).ok_or_else(|| Error::new("the first process has no number"))?;
            let pidfd = rustix::process::pidfd_open(number, PidfdFlags::empty());
            Ok((Newborn { pid, pidfd: pidfd.doing(|| "open the first process".into())? }, ours, lock))
        }
    }
}

/// Joins what has to be joined before the first process is born, makes it, tells its number, and ends.
fn bootstrap(plan: &Plan<'_>, channel: Channel, announces: Channel) -> ! {
    let born = enter_early(plan).doing(|| "bootstrap".into()).and_then(|()| {
        let parent = u64::from(libc::CLONE_PARENT.unsigned_abs());
        let args = CloneArgs { flags: flags(plan) | parent, cgroup: None };
        sys::clone3(args).doing(|| "clone the first process".into())
    });
    let said = match born {
        Ok(ClonedAs::Child) => {
            drop(announces);
            init::main(plan, channel, None)
        }
        Ok(ClonedAs::Parent { pid, .. }) => Message::InitPid(pid),
        Err(error) => Message::Failed(error.to_string()),
    };
    let code = i32::from(announces.send(&said).is_err());
    sys::exit_now(code)
}

fn enter_early(plan: &Plan<'_>) -> Result<()> {
    init::die_with_runtime()?;
    if joins(plan, NamespaceKind::User) {
        join(plan, NamespaceKind::User)?;
        init::become_root()?;
    }
    if !joins_for_new_user_namespace(plan) {
        return enter_pid_namespace(plan).map(drop);
    }
    // The host's namespaces are joined with the rights that the new user namespace takes away.
    for kind in NamespaceKind::ALL.into_iter().filter(|kind| joins(plan, *kind)) {
        join(plan, kind)?;
    }
    Ok(())
}
