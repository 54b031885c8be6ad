//! The container's init process, from its birth to execve(2): a table of named steps.
//!
//! It is a clone of the runtime that never executes the runtime's binary anew. It may use whatever was prepared in
//! [`Plan`], since it has a copy of the runtime's memory and descriptors. Each step has a name, which an error carries.
//! The init process of a container is alone in there until it is ready. Where others may look on, `bootstrap` does most
//! of the steps.

mod bootstrap;
pub mod capability;
mod hooks;
pub mod memory_policy;
mod namespace;
mod numbers;
mod plan;
mod procs;
mod program;
pub mod rlimit;
pub mod schedule;
mod setup;
mod streams;
mod user;

pub use bootstrap::{bootstrap, bootstrap_shared};
pub(crate) use namespace::{join, make_time_namespace, open_clocks};
pub use plan::{Entering, Gateway, Plan, Start};
pub(crate) use setup::die_with_runtime;

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use crate::container::Lock;
use crate::error::{Context, Error, Result};
use crate::log;
use crate::rootfs::Root;
use crate::rootfs::console::Console;
use crate::rootfs::mask::Masks;
use crate::sync::{Channel, Message};
use crate::sys;

/// What the steps hand on to each other.
#[derive(Debug)]
pub struct Init<'plan> {
    plan: &'plan Plan<'plan>,
    channel: Channel,
    lock: Option<Lock>,
    has_network: bool,
    clocks: Option<OwnedFd>,
    enters_pid_namespace: bool,
    procs: VecDeque<OwnedFd>,
    runner: Option<hooks::Runner>,
    umask: rustix::fs::Mode,
    root: Option<Root>,
    read_only_later: Vec<OwnedFd>,
    masks: Option<Masks>,
    console: Option<Console>,
    directory: Option<OwnedFd>,
}

/// A named step.
type Step = (&'static str, fn(&mut Init<'_>) -> Result<()>);

/// How a container is made.
const CREATE: &[Step] = &[
    ("prepare the init process", setup::prepare),
    ("enter the cgroup", namespace::enter_cgroup),
    ("open the clocks", namespace::prepare_clocks),
    ("wait for the maps of the user namespace", namespace::wait_for_maps),
    ("join and make namespaces", namespace::enter),
    ("set the host name", namespace::set_names),
    ("make a session keyring", setup::keyring),
    ("separate the mounts from the host", setup::separate),
    ("attach the root file system", setup::attach_root),
    ("make the mounts", setup::mounts),
    ("join the network namespace", namespace::network),
    ("make the devices", setup::devices),
    ("open the terminal", setup::console),
    ("finish the environment", setup::environment),
    ("run the createContainer hooks", hooks::run),
    ("change the root", setup::change_root),
    ("write the kernel parameters", setup::sysctl),
    ("make paths read-only", setup::read_only),
    ("mask paths", setup::mask),
    ("set the propagation of the root", setup::propagate),
    ("connect the streams", user::streams),
    ("prepare the program", user::prepare),
    ("let go of the host", bootstrap::let_go),
    ("set limits and scheduling", user::limits),
    ("become the user", user::become_user),
    ("find the program", program::find),
    ("wait for start", program::wait_for_start),
    ("run the startContainer hooks", program::hooks),
    ("execute the program", program::execute),
];

/// Runs the steps. Never returns: either the program runs, or the runtime learns which step failed and why.
pub fn main(plan: &Plan<'_>, channel: Channel, lock: Option<Lock>) -> ! {
    Init::new(plan, channel, lock).finish(CREATE)
}

impl<'plan> Init<'plan> {
    fn new(plan: &'plan Plan<'plan>, channel: Channel, lock: Option<Lock>) -> Self {
        Self {
            plan,
            channel,
            lock,
            has_network: false,
            clocks: None,
            enters_pid_namespace: plan.shares_processes(),
            procs: VecDeque::new(),
            runner: None,
            umask: rustix::process::umask(rustix::fs::Mode::empty()),
            root: None,
            read_only_later: Vec::new(),
            masks: None,
            console: None,
            directory: None,
        }
    }

    fn run(&mut self, steps: &[Step]) -> Result<()> {
        steps.iter().try_for_each(|(name, step)| {
            if log::is_debugging() {
                self.channel.send(&Message::Step((*name).into()))?;
            }
            step(self).doing(|| (*name).into())
        })
    }

    /// Runs the steps, the last of which does not return unless it fails.
    fn finish(mut self, steps: &[Step]) -> ! {
        if let Err(error) = self.run(steps) {
            // When the runtime is gone too, nobody is left to be told.
            drop(self.channel.send(&Message::Failed(error.to_string())));
        }
        sys::exit_now(1)
    }
}

impl Init<'_> {
    fn root(&self) -> Result<&Root> {
        self.root.as_ref().ok_or_else(|| Error::new("the root is not attached yet"))
    }

    fn warn(&self, warning: String) -> Result<()> {
        self.channel.send(&Message::Warning(warning))
    }
}
