//! The procfs of a pid namespace that is joined: it shows the processes that its maker is among. So a process in there makes
//! it, born like any other by a bootstrap that lets go of the host, and hands it out.

use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags};
use rustix::process::{WaitId, WaitIdOptions};

use super::namespace::become_root;
use super::{Init, Plan, bootstrap, die_with_runtime};
use crate::config::{NamespaceKind, Propagation};
use crate::error::{Context, Error, Result};
use crate::procfs;
use crate::rootfs::detached::{attach, new_tmpfs};
use crate::rootfs::mount::Request;
use crate::rootfs::{Root, pivot};
use crate::sync::{Channel, Message};
use crate::sys::{self, Alone, CloneArgs, ClonedAs};

/// Has each procfs of the configuration made, in its order.
pub(super) fn make(init: &mut Init<'_>) -> Result<()> {
    let requests: Vec<_> = requests(init.plan).collect();
    if requests.is_empty() {
        return Ok(());
    }
    let (ours, theirs) = Channel::pair()?;
    match sys::clone3(CloneArgs::default()).doing(|| "clone a process for it".into())? {
        ClonedAs::Child => {
            drop(ours);
            if let Err(error) = clone_helper(init.plan, &requests, &theirs) {
                // Who asked is gone, or learns it.
                drop(theirs.send(&Message::Failed(error.to_string())));
            }
            sys::exit_now(1)
        }
        ClonedAs::Parent { pidfd, .. } => {
            drop(theirs);
            for _ in requests {
                init.procs.push_back(match ours.receive()? {
                    Some((Message::Mounted, Some(mount))) => mount,
                    Some((Message::Failed(cause), _)) => return Err(Error::new(cause)),
                    _ => return Err(Error::new("the process for it ended before it was made")),
                });
            }
            let ended = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
            ended.doing(|| "wait for the process".into()).map(drop)
        }
    }
}

/// Those entries that are a procfs of its own.
fn requests<'a>(plan: &'a Plan<'_>) -> impl Iterator<Item = Request<'a>> {
    let all = plan.mounts.iter().map(|planned| Request::new(&planned.mount, "", plan.bundle));
    all.filter(Request::is_new_procfs)
}

/// Goes where nothing of the host is, and makes the maker there, which ends with it.
fn clone_helper(plan: &Plan<'_>, requests: &[Request<'_>], channel: &Channel) -> Result<()> {
    die_with_runtime()?;
    let alone = Alone::check().doing(|| "look for threads".into())?;
    let pid = || plan.joined(NamespaceKind::Pid).map_or(Ok(()), |pid| sys::setns(pid, NamespaceKind::Pid.clone_flag()));
    match pid() {
        // The pid namespace belongs to the user namespace, and there are no rights but in that. There the kernel gives a procfs
        // only to those that see another one, and nobody may look into memory that belongs to the user namespace around.
        Err(error) if error.raw_os_error() == Some(libc::EPERM) && plan.joined(NamespaceKind::User).is_some() => {
            let user = plan.joined(NamespaceKind::User);
            let joined = user.map_or(Ok(()), |user| sys::setns(user, NamespaceKind::User.clone_flag()));
            joined.doing(|| "join the user namespace".into())?;
            become_root()?;
            pid().doing(|| "join the pid namespace".into())?;
        }
        joined => {
            joined.doing(|| "join the pid namespace".into())?;
            if !procfs::in_user_namespace() {
                leave_the_host()?;
            }
        }
    }
    bootstrap::forget_the_host(plan, &[channel.as_fd()])?;
    match alone.clone3(CloneArgs::default()).doing(|| "clone the maker".into())? {
        ClonedAs::Child => {
            die_with_runtime()?;
            for request in requests {
                channel.send_with(&Message::Mounted, request.procfs()?.as_fd())?;
            }
            sys::exit_now(0)
        }
        ClonedAs::Parent { pidfd, .. } => {
            let ended = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
            ended.doing(|| "wait for the maker".into())?;
            sys::exit_now(0)
        }
    }
}

/// New namespaces, so that those of the host cannot be joined by way of the maker, and an empty root.
fn leave_the_host() -> Result<()> {
    use NamespaceKind::{Cgroup, Ipc, Mount, Network, Uts};
    let flags = [Mount, Network, Ipc, Uts, Cgroup].map(NamespaceKind::clone_flag).iter().sum();
    sys::unshare(flags).doing(|| "make namespaces".into())?;
    pivot::separate(Some(Propagation::Private))?;
    let empty = Root::new(new_tmpfs(&[], 0)?);
    let place = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(|| "open `/`".into())?;
    attach(empty.as_fd(), place.as_fd())?;
    pivot::pivot(&empty)
}
