//! A further process in a container that exists: `exec`.

use std::os::fd::OwnedFd;

use rustix::process::Pid;

use super::{Newborn, Undo, Wish, birth, confine, differing, prepare, supervise};
use crate::cgroup::Cgroup;
use crate::config::{Config, Process};
use crate::container::{Container, Record};
use crate::error::{Error, Result};
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
    rlimit::raise(&process.rlimits)?;
    let (mut newborn, channel, _) = birth(&plan, None)?;
    let console = newborn.console.take();
    let mut undo = Undo::new(None);
    undo.first_process(&newborn.pidfd)?;
    let joined = (|| {
        let console = console.map_or(Ok(None), |console| wish.hand_over_console(console))?;
        prepare::oom_score(&plan, newborn.pid)?;
        supervise(wish, &plan, &channel, &newborn, &mut undo, None, &mut || {
            wish.write_pid_file(newborn.pid)?;
            wish.send_pidfd(&newborn.pidfd)?;
            channel.send(&Message::Recorded)
        })?;
        Ok(console)
    })();
    match joined {
        Ok(console) => Ok(Joined { newborn, console }),
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
        open_files: None,
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
        no_new_keyring: record.keeps_keyring,
    })
}
