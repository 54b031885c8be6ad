//! Answering the first process until its program runs, or it waits for `start`.

use std::os::fd::OwnedFd;

use super::{Newborn, Undo, Wish, died, hooks, net_device};
use crate::config::HookKind;
use crate::container::Status;
use crate::error::{Error, Result};
use crate::init::{Plan, Start};
use crate::log;
use crate::sync::{Channel, Message};

/// What came of it.
#[derive(Debug, Default)]
pub struct Ending {
    /// The runtime's end of the terminal, when there is one that was not handed on.
    pub console: Option<OwnedFd>,
}

/// Listens to the first process until it runs its program, or waits for `start`. `record` is called once, when all is
/// set up.
///
/// # Errors
/// What the first process reports, or what the runtime itself fails at.
pub fn supervise(
    wish: &Wish,
    plan: &Plan<'_>,
    channel: &Channel,
    newborn: &Newborn,
    undo: &mut Undo,
    record: &mut dyn FnMut() -> Result<()>,
) -> Result<Ending> {
    let mut ending = Ending::default();
    let (mut executing, mut waiting) = (false, false);
    while let Some((message, fd)) = channel.receive()? {
        match (message, fd) {
            (Message::EnvironmentReady, _) => {
                undo.hooks_ran();
                environment(plan, newborn)?;
                channel.send(&Message::GoOn)?;
            }
            (Message::Console, Some(console)) => ending.console = wish.hand_over_console(console)?,
            (Message::Ready, _) => {
                undo.hooks_ran();
                record()?;
                // It depends on the runtime until it says otherwise, by hanging up.
                waiting = matches!(plan.start, Start::OnConnection(_));
            }
            (Message::Executing, _) => executing = true,
            (Message::Warning(text), _) => log::warn(&text),
            (Message::Failed(cause), _) => return Err(Error::new(cause)),
            (message, _) => return Err(Error::new(format!("the first process said {message:?}"))),
        }
    }
    if executing || waiting { Ok(ending) } else { Err(died(newborn)) }
}

fn environment(plan: &Plan<'_>, newborn: &Newborn) -> Result<()> {
    net_device::move_all(&plan.config.linux, newborn.pid)?;
    hooks(plan, HookKind::Prestart, Status::Creating, newborn.pid)?;
    hooks(plan, HookKind::CreateRuntime, Status::Creating, newborn.pid)
}
