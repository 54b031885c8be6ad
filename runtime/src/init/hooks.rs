//! The createContainer hooks. They have the root of the host and the environment of the runtime, so they must not be created in a
//! pid namespace where others look into them. Who has entered a user namespace cannot enter a pid namespace of the host any more:
//! bootstrap does that first, and each further child of it is in there. So a process that is its child already, called the
//! runner, follows it into all other namespaces when the time has come, and runs the hooks.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::process::{PidfdFlags, WaitId, WaitIdOptions};

use super::namespace::become_root;
use super::{Init, Plan, die_with_runtime, setup};
use crate::config::{HookKind, NamespaceKind};
use crate::container::{State, Status};
use crate::error::{Context, Error, Result};
use crate::hook;
use crate::sync::{Channel, Message};
use crate::sys::{self, CloneArgs, ClonedAs};

/// The runner, as bootstrap sees it.
#[derive(Debug)]
pub(super) struct Runner {
    pidfd: OwnedFd,
    channel: Channel,
}

/// Makes the runner, when it is going to be needed.
pub(super) fn make_runner(init: &mut Init<'_>) -> Result<()> {
    if !init.plan.needs_runner() {
        return Ok(());
    }
    // What the runtime gives this process, its children have by birth: the place among those that the kernel ends for want of memory,
    // and groups of resctrl.
    init.channel.expect(&Message::Equipped)?;
    // The number that hooks are told is that of bootstrap.
    let state = init.plan.state_inside(Status::Creating);
    let bootstrap = rustix::process::pidfd_open(rustix::process::getpid(), PidfdFlags::empty());
    let bootstrap = bootstrap.doing(|| "open bootstrap".into())?;
    let (channel, theirs) = Channel::pair()?;
    match sys::clone3(CloneArgs::default()).doing(|| "clone a process for the hooks".into())? {
        ClonedAs::Child => {
            if let Err(error) = run_outside(init.plan, &bootstrap, &theirs, &state) {
                // Who asked is gone, or learns it.
                drop(theirs.send(&Message::Failed(error.to_string())));
                sys::exit_now(1)
            }
            sys::exit_now(0)
        }
        ClonedAs::Parent { pidfd, .. } => {
            init.runner = Some(Runner { pidfd, channel });
            Ok(())
        }
    }
}

/// Runs the hooks where the children of this process are not in a pid namespace that was joined.
pub(super) fn run(init: &mut Init<'_>) -> Result<()> {
    match init.runner.take() {
        Some(runner) if !init.enters_pid_namespace => runner.run(),
        runner => {
            runner.map_or(Ok(()), Runner::dismiss)?;
            let state = init.plan.state_inside(Status::Creating);
            hook::run_all(&init.plan.config.hooks, HookKind::CreateContainer, &state)
        }
    }
}

impl Runner {
    fn run(self) -> Result<()> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(".", flags, Mode::empty()).doing(|| "open the directory".into())?;
        self.channel.send_with(&Message::GoOn, directory.as_fd())?;
        let failed = self.channel.receive()?;
        match (failed, wait(&self.pidfd)?) {
            (None, Some(0)) => Ok(()),
            (Some((Message::Failed(cause), _)), _) => Err(Error::new(cause)),
            _ => Err(Error::new("the process that runs them was ended")),
        }
    }

    /// It ends when it hears that nothing comes.
    fn dismiss(self) -> Result<()> {
        let Self { pidfd, channel } = self;
        drop(channel);
        wait(&pidfd).map(drop)
    }
}

/// Its exit code; none when a signal has ended it.
fn wait(runner: &OwnedFd) -> Result<Option<i32>> {
    let ended = rustix::process::waitid(WaitId::PidFd(runner.as_fd()), WaitIdOptions::EXITED);
    let ended = ended.doing(|| "wait for the process that runs them".into())?;
    Ok(ended.and_then(|status| status.exit_status()))
}

/// The runner: waits for bootstrap, becomes what that is but for its pid namespace, and runs the hooks.
fn run_outside(plan: &Plan<'_>, bootstrap: &OwnedFd, channel: &Channel, state: &State) -> Result<()> {
    die_with_runtime()?;
    // What others wait for the end of must not be held open here.
    sys::close_all_but(3, &[bootstrap.as_fd(), channel.as_fd()]).doing(|| "close the descriptors".into())?;
    let directory = channel.expect_with(&Message::GoOn)?;
    let linux = &plan.config.linux;
    let apart = |kind: &NamespaceKind| matches!(kind, NamespaceKind::Pid | NamespaceKind::User);
    let others = NamespaceKind::ALL.into_iter().filter(|kind| !apart(kind) && linux.namespace(*kind).is_some());
    // The rights of the host reach them all, and the directory, too.
    match others.map(NamespaceKind::clone_flag).sum() {
        0 => {}
        flags => sys::setns(bootstrap.as_fd(), flags).doing(|| "join the namespaces".into())?,
    }
    rustix::process::fchdir(&directory).doing(|| "enter the directory".into())?;
    sys::setns(bootstrap.as_fd(), NamespaceKind::User.clone_flag()).doing(|| "join the user namespace".into())?;
    become_root()?;
    die_with_runtime()?;
    // Bootstrap has warned of what is in the way.
    setup::join_keyring(plan)?;
    hook::run_all(&plan.config.hooks, HookKind::CreateContainer, state)
}
