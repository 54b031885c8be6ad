//! The clone. In the common case one clone3(2) with all namespaces makes the init process, which is alone in its pid
//! namespace. A second process stands in between, bootstrap, where others may look into the new one, for `exec` and for a pid
//! namespace that is joined: see [`init::bootstrap`]. And where rights demand it: when a user namespace is joined, and when
//! namespaces of the host are joined by the init process of a new user namespace. It makes the init process a child of
//! the runtime (`CLONE_PARENT`) and ends.

use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};

use crate::config::NamespaceKind;
use crate::container::Lock;
use crate::error::{Context, Error, Result};
use crate::init::{self, Plan};
use crate::log;
use crate::sync::{Channel, Message};
use crate::sys::{self, CloneArgs, ClonedAs};

/// The init process, as the runtime sees it.
#[derive(Debug)]
pub struct ChildProcess {
    /// Its number.
    pub pid: i32,
    /// A descriptor for it.
    pub pidfd: OwnedFd,
    /// The runtime's end of its terminal, when bootstrap has opened that.
    pub console: Option<OwnedFd>,
    /// The way to the init process, when this is bootstrap and that is still to be created.
    pub later: Option<Channel>,
    /// Whether others look into it: no more is taken from it than how far it is.
    pub is_exposed: bool,
}

impl ChildProcess {
    /// A child of this process that bootstrap has told of, and which was in the reach of others when it did so.
    ///
    /// # Errors
    /// When there is no such child.
    pub fn child(pid: i32, console: Option<OwnedFd>) -> Result<Self> {
        let number = Pid::from_raw(pid).ok_or_else(|| Error::new("the init process has no number"))?;
        let looks = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let found = rustix::process::waitid(WaitId::Pid(number), looks);
        found.doing(|| format!("find process {pid} among the children"))?;
        let pidfd = rustix::process::pidfd_open(number, PidfdFlags::empty());
        let pidfd = pidfd.doing(|| "open the init process".into())?;
        Ok(Self { pid, pidfd, console, later: None, is_exposed: true })
    }
}

/// Makes the init process, which starts with [`init::main`], and returns the channel to it. Both hold the lock then: the
/// init process until there is nothing more to come that `delete` has to find.
///
/// # Errors
/// When the kernel refuses the clone, or bootstrap fails.
pub fn clone_init(plan: &Plan<'_>, lock: Option<Lock>) -> Result<(ChildProcess, Channel, Option<Lock>)> {
    let (ours, theirs) = Channel::pair()?;
    if plan.shares_processes() {
        return bootstrap_shared(plan, ours, theirs, lock);
    }
    if needs_bootstrap(plan) {
        return through_bootstrap(plan, ours, theirs, lock);
    }
    let cgroup = plan.gateway.directory.as_ref().map(OwnedFd::as_fd);
    let args = CloneArgs { flags: plan.clone_flags(), cgroup };
    match sys::clone3(args).doing(|| "clone the init process".into())? {
        ClonedAs::Child => {
            drop(ours);
            init::main(plan, theirs, lock)
        }
        ClonedAs::Parent { pid, pidfd } => {
            Ok((ChildProcess { pid, pidfd, console: None, later: None, is_exposed: false }, ours, lock))
        }
    }
}

fn joins(plan: &Plan<'_>, kind: NamespaceKind) -> bool {
    plan.joined(kind).is_some()
}

fn needs_bootstrap(plan: &Plan<'_>) -> bool {
    plan.joins_container() || joins(plan, NamespaceKind::User) || joins_for_new_user_namespace(plan)
}

/// Whether namespaces of the host are joined by the init process of a new user namespace.
fn joins_for_new_user_namespace(plan: &Plan<'_>) -> bool {
    let joins_any = NamespaceKind::ALL.into_iter().any(|kind| joins(plan, kind));
    plan.config.linux.makes(NamespaceKind::User) && joins_any
}

/// Bootstrap makes the container, and the init process when that is made.
fn bootstrap_shared(
    plan: &Plan<'_>,
    ours: Channel,
    theirs: Channel,
    lock: Option<Lock>,
) -> Result<(ChildProcess, Channel, Option<Lock>)> {
    let cgroup = plan.gateway.directory.as_ref().map(OwnedFd::as_fd);
    let (later, first) = Channel::pair()?;
    match sys::clone3(CloneArgs { flags: 0, cgroup }).doing(|| "clone bootstrap".into())? {
        ClonedAs::Child => {
            drop((ours, later));
            init::bootstrap_shared(plan, first, theirs, lock)
        }
        ClonedAs::Parent { pid, pidfd } => {
            let bootstrap = ChildProcess { pid, pidfd, console: None, later: Some(later), is_exposed: false };
            Ok((bootstrap, ours, lock))
        }
    }
}

fn through_bootstrap(
    plan: &Plan<'_>,
    ours: Channel,
    theirs: Channel,
    lock: Option<Lock>,
) -> Result<(ChildProcess, Channel, Option<Lock>)> {
    // Bootstrap is created in the cgroup, and the init process with it: in a user namespace there are no rights over it.
    let cgroup = plan.gateway.directory.as_ref().map(OwnedFd::as_fd);
    // The init process may talk before bootstrap has told its number, so each has a socket of its own.
    let (number, announces) = Channel::pair()?;
    match sys::clone3(CloneArgs { flags: 0, cgroup }).doing(|| "clone bootstrap".into())? {
        ClonedAs::Child => {
            drop((lock, ours, number));
            if plan.joins_container() {
                init::bootstrap(plan, theirs, announces)
            }
            bootstrap(plan, theirs, announces)
        }
        ClonedAs::Parent { pidfd, .. } => {
            drop((theirs, announces));
            let child = announced(&number)?;
            let ended = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
            ended.doing(|| "wait for bootstrap".into())?;
            Ok((child, ours, lock))
        }
    }
}

/// Listens to bootstrap until it has told the number of the init process.
fn announced(number: &Channel) -> Result<ChildProcess> {
    let mut console = None;
    loop {
        match number.receive()? {
            Some((Message::InitPid(pid), _)) => return ChildProcess::child(pid, console),
            Some((Message::Console, Some(terminal))) => console = Some(terminal),
            Some((Message::Warning(warning), _)) => log::warn(&warning),
            Some((Message::Failed(cause), _)) => return Err(Error::new(cause)),
            Some((message, _)) => return Err(Error::new(format!("bootstrap said {message:?}"))),
            None => return Err(Error::new("bootstrap ended before the init process was created")),
        }
    }
}

/// Joins what has to be joined before the init process is created, makes it, tells its number, and ends.
fn bootstrap(plan: &Plan<'_>, channel: Channel, announces: Channel) -> ! {
    let init = enter_early(plan).doing(|| "bootstrap".into()).and_then(|()| {
        let parent = u64::from(libc::CLONE_PARENT.unsigned_abs());
        let args = CloneArgs { flags: plan.clone_flags() | parent, cgroup: None };
        sys::clone3(args).doing(|| "clone the init process".into())
    });
    let said = match init {
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
    let clocks = init::open_clocks(plan)?;
    init::join(plan, |_| true)?;
    if plan.clones_time_namespace() { init::make_time_namespace(plan, clocks) } else { Ok(()) }
}
