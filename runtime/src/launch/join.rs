//! A further process in a container that exists: `exec`.

use std::os::fd::OwnedFd;

use rustix::process::Pid;

use super::{ChildProcess, LaunchRequest, Undo, clone_init, confine, differing, prepare, supervise};
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
    pub child: ChildProcess,
    /// The runtime's end of its terminal, when there is one that was not handed on.
    pub console: Option<OwnedFd>,
}

/// Starts `process` in the container, and returns when its program runs.
///
/// # Errors
/// When the container is gone, or a step fails; the process is ended then.
pub fn join(request: &LaunchRequest, container: &Container, config: &Config, process: &Process) -> Result<Joined> {
    let record = container.record()?;
    let cgroup = container.cgroup()?.ok_or_else(|| Error::new("the container has no cgroup"))?;
    let plan = plan(request, container, record, &*cgroup, (config, process))?;
    rlimit::raise(&process.rlimits)?;
    let (mut child, channel, _) = clone_init(&plan, None)?;
    let console = child.console.take();
    let mut undo = Undo::new(None);
    undo.first_process(&child.pidfd)?;
    let joined = (|| {
        let console = console.map_or(Ok(None), |console| request.hand_over_console(console))?;
        prepare::oom_score(&plan, child.pid)?;
        supervise(request, &plan, &channel, &child, &mut undo, None, &mut || {
            request.write_pid_file(child.pid)?;
            request.send_pidfd(&child.pidfd)?;
            channel.send(&Message::Recorded)
        })?;
        Ok(console)
    })();
    match joined {
        Ok(console) => Ok(Joined { child, console }),
        Err(error) => {
            undo.run(config, &record.bundle);
            Err(error)
        }
    }
}

fn plan<'a>(
    request: &'a LaunchRequest,
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
        gateway: confine::enter(cgroup, Pid::from_raw(record.pid), &request.cgroups)?,
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
        preserve_fds: request.preserve_fds,
        listen_fds: 0,
        no_pivot: false,
        no_new_keyring: record.keeps_keyring,
    })
}
