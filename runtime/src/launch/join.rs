//! A further process in a container that exists: `exec`.

use std::os::fd::OwnedFd;

use rustix::process::{DumpableBehavior, Pid};

use super::{Newborn, Undo, Wish, birth, confine, differing, prepare, supervise};
use crate::cgroup::Cgroup;
use crate::config::{Config, Process};
use crate::container::{Container, Record};
use crate::error::{Context, Error, Result};
use crate::init::{Entering, Plan, Start, rlimit};
use crate::procfs;
use crate::rootfs::console;
use crate::sync::Message;

/// A process that was started in a container.
#[derive(Debug)]
pub struct Joined {
    /// The process.
    pub newborn: Newborn,
    /// The runtime's end of its terminal, when there is one that was not handed on.
    pub console: Option<OwnedFd>,
}

/// Starts `process` in the container, and returns when its program runs.
///
/// # Errors
/// When the container is gone, or a step fails; the process is ended then.
pub fn join(wish: &Wish, container: &Container, config: &Config, process: &Process) -> Result<Joined> {
    let record = container.record()?;
    let cgroup = container.cgroup()?.ok_or_else(|| Error::new("the container has no cgroup"))?;
    let plan = plan(wish, container, record, &*cgroup, (config, process))?;
    // The new process can be seen in the container from its birth on; nobody there may look into it.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .doing(|| "hide the runtime's memory".into())?;
    rlimit::raise(&process.rlimits)?;
    let (newborn, channel, _) = birth(&plan, None)?;
    let mut undo = Undo::new(None);
    undo.first_process(newborn.pidfd.try_clone().doing(|| "copy a descriptor".into())?);
    let ending = prepare::oom_score(&plan, newborn.pid).and_then(|()| {
        supervise(wish, &plan, &channel, &newborn, &mut undo, None, &mut || {
            wish.write_pid_file(newborn.pid)?;
            wish.send_pidfd(&newborn.pidfd)?;
            channel.send(&Message::Recorded)
        })
    });
    match ending {
        Ok(ending) => Ok(Joined { newborn, console: ending.console }),
        Err(error) => {
            undo.run(config, &record.bundle);
            Err(error)
        }
    }
}

fn plan<'a>(
    wish: &'a Wish,
    container: &'a Container,
    record: &'a Record,
    cgroup: &dyn Cgroup,
    (config, process): (&'a Config, &'a Process),
) -> Result<Plan<'a>> {
    let pidfd = container.pidfd()?.ok_or_else(|| Error::new("the container's process is gone"))?;
    Ok(Plan {
        id: &container.directory.id,
        bundle: &record.bundle,
        config,
        process: Some(process),
        entering: Entering::Container { pidfd, flags: differing(record.pid)? },
        gateway: confine::enter(cgroup, Pid::from_raw(record.pid), &wish.cgroups)?,
        root_path: record.bundle.clone(),
        root_tree: None,
        mounts: Vec::new(),
        sources: Vec::new(),
        devices: Vec::new(),
        proc: procfs::open()?,
        own_network: None,
        host_ptmx: if process.terminal { console::host_ptmx() } else { None },
        stops_at_environment: false,
        start: Start::Now,
        filter: prepare::filter(config)?,
        handover: prepare::handover(config)?,
        preserve_fds: wish.preserve_fds,
        listen_fds: 0,
        no_pivot: false,
        no_new_keyring: true,
    })
}
