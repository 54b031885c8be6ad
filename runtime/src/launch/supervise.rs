//! Answering the init process until its program runs, or it waits for `start`.

use std::os::fd::{AsFd, OwnedFd};

use super::{ChildProcess, LaunchRequest, Undo, died, hooks, net_device};
use crate::cgroup::PreparedRules;
use crate::config::{HookKind, OCI_VERSION};
use crate::container::{State, Status};
use crate::error::{Error, Result};
use crate::init::{Plan, Start};
use crate::log;
use crate::seccomp::notify;
use crate::sync::{Channel, Message};

/// What came of it.
#[derive(Debug, Default)]
pub struct Ending {
    /// The runtime's end of the terminal, when there is one that was not handed on.
    pub console: Option<OwnedFd>,
    /// The init process, when this was bootstrap.
    pub init: Option<ChildProcess>,
}

/// Listens to the init process until it runs its program, or waits for `start`; to bootstrap until the init process is created. The gate is closed once the devices are
/// made. `record` is called once, when all is set up.
///
/// # Errors
/// What the init process reports, or what the runtime itself fails at.
pub fn supervise(
    request: &LaunchRequest,
    plan: &Plan<'_>,
    channel: &Channel,
    child: &ChildProcess,
    undo: &mut Undo,
    mut device_rules: Option<PreparedRules>,
    record: &mut dyn FnMut() -> Result<()>,
) -> Result<Ending> {
    let mut ending = Ending::default();
    let (mut executing, mut waiting) = (false, false);
    while let Some((message, fd)) = channel.receive()? {
        match (message, fd) {
            (Message::DevicesMade, _) => device_rules.take().map_or(Ok(()), PreparedRules::apply)?,
            (Message::EnvironmentReady, _) if plan.stops_at_environment && !child.is_exposed => {
                undo.hooks_ran();
                environment(plan, child)?;
                channel.send(&Message::GoOn)?;
            }
            (Message::Console, Some(console)) if !child.is_exposed => {
                ending.console = request.hand_over_console(console)?
            }
            (Message::InitPid(pid), _) if child.later.is_some() => {
                ending.init = Some(ChildProcess::child(pid, None)?);
                return Ok(ending);
            }
            (Message::Ready, _) if child.later.is_none() => {
                undo.hooks_ran();
                record()?;
                // It depends on the runtime until it says otherwise, by hanging up.
                waiting = matches!(plan.start, Start::OnConnection(_));
            }
            (Message::Filtering, _) => hand_over_listener(plan, child)?,
            (Message::Executing, _) => executing = true,
            (Message::Warning(text), _) => log::warn(&text),
            (Message::Failed(cause), _) => return Err(Error::new(cause)),
            (message, _) => return Err(Error::new(format!("the init process said {message:?}"))),
        }
    }
    if executing || waiting { Ok(ending) } else { Err(died(child)) }
}

/// Takes the seccomp listener from the init process and gives it to the agent that the profile names.
fn hand_over_listener(plan: &Plan<'_>, child: &ChildProcess) -> Result<()> {
    let (Some(handover), Some(profile)) = (&plan.handover, &plan.config.linux.seccomp) else {
        return Err(Error::new("no listener was expected"));
    };
    let Some(listener) = handover.receive(child.pidfd.as_fd())? else { return Ok(()) };
    let status = if plan.joins_container() { Status::Running } else { Status::Creating };
    let state = State::new(plan.id, status, Some(child.pid), plan.bundle, &plan.config.annotations);
    let state = notify::ProcessState::new(OCI_VERSION, child.pid, profile.listener_metadata.as_deref(), state);
    let path = profile.listener_path.as_ref().ok_or_else(|| Error::new("linux.seccomp.listenerPath: is missing"))?;
    notify::send_listener(path.as_ref(), &state, &listener)
}

fn environment(plan: &Plan<'_>, child: &ChildProcess) -> Result<()> {
    net_device::move_all(&plan.config.linux, child.pid)?;
    hooks(plan, HookKind::Prestart, Status::Creating, child.pid)?;
    hooks(plan, HookKind::CreateRuntime, Status::Creating, child.pid)
}
