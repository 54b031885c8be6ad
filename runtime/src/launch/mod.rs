//! The runtime's side of a start: it prepares what the init process needs, clones it, answers its questions, and
//! writes the record. `init` is the other side.

mod clone;
pub(crate) mod confine;
mod id_map;
mod join;
mod namespace;
mod net_device;
mod network;
mod prepare;
mod restore;
mod supervise;
mod undo;

pub use clone::{ChildProcess, clone_init};
pub use join::{Joined, join};
pub use namespace::{differing, open_joined};
pub use prepare::{LaunchRequest, socket_address};
pub use restore::restore;
pub use supervise::{Ending, supervise};
pub use undo::Undo;

use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::process::{Signal, WaitId, WaitIdOptions};

use crate::cgroup::{Cgroup, PreparedRules};
use crate::config::{Config, HookKind, NamespaceKind};
use crate::container::{Directory, Lock, Record, State, Status};
use crate::error::{Context, Error, Result};
use crate::init::{Plan, Start};
use crate::log;
use crate::notify::{self, Notify};
use crate::protect;
use crate::resctrl::Groups;
use crate::sync::{Channel, Message};

/// A container whose init process lives.
#[derive(Debug)]
pub struct Launched {
    /// What it was made from.
    pub config: Config,
    /// Its cgroup.
    pub cgroup: Rc<dyn Cgroup>,
    /// Where it is kept.
    pub directory: Directory,
    /// Held until this is dropped.
    pub lock: Option<Lock>,
    /// What is on disk.
    pub record: Record,
    /// The init process.
    pub pidfd: OwnedFd,
    /// The runtime's end of the terminal, when there is one that was not handed on.
    pub console: Option<OwnedFd>,
    /// When a service manager waits for the program to be ready.
    pub notify: Option<Notify>,
}

/// Makes a container. With `start_now` its program runs when this returns, else it waits for `start`.
///
/// # Errors
/// When the configuration is refused, in which case nothing was made; or a step fails, in which case what was made is
/// removed again, and the poststop hooks run if hooks ran before.
pub fn launch(request: &LaunchRequest, start_now: bool) -> Result<Launched> {
    let bundle = request.bundle()?;
    let (mut config, text) = Config::load(&bundle.join("config.json"))?;
    request.check(&config, start_now)?;
    id_map::learn(&mut config)?;
    // Others may look at the init process while it still is the runtime.
    if !config.linux.makes(NamespaceKind::Pid) || !config.hooks.of(HookKind::StartContainer).is_empty() {
        protect::seal()?;
    }
    let (directory, lock) = Directory::make(&request.state_root, &request.id)?;
    log::debug(&format!("made `{}`", directory.path.display()));
    let mut undo = Undo::new(directory.clone());
    let launched = (|| {
        let notify = match &request.notify {
            Some(manager) => {
                notify::equip(&mut config, &directory)?;
                if start_now { Notify::listen(&directory, manager)? } else { None }
            }
            None => None,
        };
        let start = if start_now { Start::Now } else { Start::OnConnection(prepare::start_socket(&directory)?) };
        let cgroup: Rc<dyn Cgroup> = confine::choose(request, &config, &directory)?.into();
        undo.cgroup(Rc::clone(&cgroup));
        let groups = confine::resctrl(&config, &directory)?;
        let gateway = confine::prepare(&cgroup, &config)?;
        let plan = prepare::plan(request, &config, &bundle, gateway, start)?;
        let made = make(request, &plan, (&*cgroup, groups.as_ref()), (&directory, &text), Some(lock), &mut undo)?;
        Ok((made, cgroup, notify))
    })();
    match launched {
        Ok(((lock, record, pidfd, console), cgroup, notify)) => {
            Ok(Launched { config, cgroup, directory, lock, record, pidfd, console, notify })
        }
        Err(error) => {
            undo.run(&config, &bundle);
            Err(error)
        }
    }
}

type Made = (Option<Lock>, Record, OwnedFd, Option<OwnedFd>);

fn make(
    request: &LaunchRequest,
    plan: &Plan<'_>,
    (cgroup, groups): (&dyn Cgroup, Option<&Groups>),
    (directory, text): (&Directory, &str),
    lock: Option<Lock>,
    undo: &mut Undo,
) -> Result<Made> {
    if let Some(process) = plan.process {
        crate::init::rlimit::raise(&process.rlimits)?;
    }
    let (mut child, mut ours, lock) = clone_init(plan, lock)?;
    log::debug(&format!("made process {}", child.pid));
    undo.first_process(&child.pidfd)?;
    let equipped = equip(plan, (cgroup, groups), (directory, text), (&child, &ours));
    let mut device_rules = Some(equipped.map_err(|error| cause(error, &child, &ours))?);
    let mut console = None;
    if child.later.is_some() {
        let bootstrapped = run_bootstrap(request, plan, (&child, &ours), undo, device_rules.take());
        let (init, opened) = bootstrapped.map_err(|error| cause(error, &child, &ours))?;
        if let Some(later) = child.later.take() {
            (child, ours, console) = (init, later, opened);
        }
        undo.first_process(&child.pidfd)?;
    }
    let result = run_init(request, plan, directory, (&child, &ours), undo, device_rules);
    let (record, opened) = result.map_err(|error| cause(error, &child, &ours))?;
    Ok((lock, record, child.pidfd, console.or(opened)))
}

/// Does what the init process cannot do for itself; bootstrap, where there is one, hands it on.
fn equip(
    plan: &Plan<'_>,
    (cgroup, groups): (&dyn Cgroup, Option<&Groups>),
    (directory, text): (&Directory, &str),
    (child, ours): (&ChildProcess, &Channel),
) -> Result<PreparedRules> {
    confine::adopt(cgroup, &plan.gateway, child.pid, ours)?;
    network::make(plan, ours)?;
    directory.write(&directory.config(), text.as_bytes())?;
    let device_rules = cgroup.prepare_device_rules(&plan.config.linux.resources.devices)?;
    groups.map_or(Ok(()), |groups| groups.add(child.pid))?;
    prepare::oom_score(plan, child.pid)?;
    if plan.needs_runner() {
        ours.send(&Message::Equipped)?;
    }
    id_map::write_for(plan, child, ours)?;
    Ok(device_rules)
}

/// Sees bootstrap to the creation of the init process. Returns that, and the terminal.
fn run_bootstrap(
    request: &LaunchRequest,
    plan: &Plan<'_>,
    (bootstrap, ours): (&ChildProcess, &Channel),
    undo: &mut Undo,
    device_rules: Option<PreparedRules>,
) -> Result<(ChildProcess, Option<OwnedFd>)> {
    let ending = supervise(request, plan, ours, bootstrap, undo, device_rules, &mut || Ok(()))?;
    let ended = rustix::process::waitid(WaitId::PidFd(bootstrap.pidfd.as_fd()), WaitIdOptions::EXITED);
    ended.doing(|| "wait for bootstrap".into())?;
    let init = ending.init.ok_or_else(|| Error::new("bootstrap ended before the init process was created"))?;
    Ok((init, ending.console))
}

/// Sees the init process to its program.
fn run_init(
    request: &LaunchRequest,
    plan: &Plan<'_>,
    directory: &Directory,
    (child, ours): (&ChildProcess, &Channel),
    undo: &mut Undo,
    device_rules: Option<PreparedRules>,
) -> Result<(Record, Option<OwnedFd>)> {
    let record = Record::new(plan.bundle, child.pid, (request.systemd_cgroup, request.no_new_keyring))?;
    record.stage(directory)?;
    let ending = supervise(request, plan, ours, child, undo, device_rules, &mut || {
        directory.publish(&directory.record())?;
        log::debug("the container is created");
        if let Start::OnConnection(_) = plan.start {
            prepare::publish_start_socket(directory)?;
        }
        request.write_pid_file(child.pid)?;
        request.send_pidfd(&child.pidfd)?;
        ours.send(&Message::Recorded)
    })?;
    Ok((record, ending.console))
}

/// What the init process said of its failure, before what the runtime met with because of that.
fn cause(error: Error, child: &ChildProcess, channel: &Channel) -> Error {
    // One that was not at fault ends without a word; one that has ended cannot be killed.
    rustix::process::pidfd_send_signal(&child.pidfd, Signal::KILL).unwrap_or_default();
    while let Ok(Some((message, _))) = channel.receive() {
        if let Message::Failed(cause) = message {
            return Error::new(cause);
        }
    }
    error
}

/// The hooks of one kind that run in the namespaces of the runtime.
///
/// # Errors
/// The first that fails.
pub fn hooks(plan: &Plan<'_>, kind: HookKind, status: Status, pid: i32) -> Result<()> {
    log::debug(&format!("run the {} hooks", kind.name()));
    let state = State::new(plan.id, status, Some(pid), plan.bundle, &plan.config.annotations);
    crate::hook::run_all(&plan.config.hooks, kind, &state)
}

/// The error of an init process that ended without a word.
fn died(child: &ChildProcess) -> Error {
    let ended = rustix::process::waitid(WaitId::PidFd(child.pidfd.as_fd()), WaitIdOptions::EXITED);
    match ended.ok().flatten().and_then(|status| status.terminating_signal()) {
        Some(signal) => Error::new(format!("the container's init process was killed by signal {signal}")),
        None => Error::new("the container's init process ended before it was ready"),
    }
}
