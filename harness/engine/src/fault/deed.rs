//! What a wrong runtime does beside what it was asked for.

use std::fs;
use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::unistd::Pid;
use plimsoll_fixtures::Bundle;

use super::{Fault, Leftover};
use crate::cgroup;
use crate::lab::Lab;
use crate::observer::files::if_there;
use crate::process::{Running, null};

impl Fault {
    /// What it does after a create that worked.
    pub(crate) fn after_create(self, lab: &Lab<'_>, bundle: &Bundle) -> io::Result<()> {
        match self {
            Self::WrongPid => fs::write(lab.pid_file(bundle), "1"),
            Self::MoveOut => {
                let Some(pid) = if_there(fs::read_to_string(lab.pid_file(bundle)))? else { return Ok(()) };
                move_out(pid.trim())
            }
            Self::Scribble => {
                fs::create_dir_all(bundle.rootfs().join("etc"))?;
                fs::write(bundle.rootfs().join("etc/resolv.conf"), "nameserver 192.0.2.1\n")
            }
            _ => Ok(()),
        }
    }

    /// What it does to the program of exec, which is this process, once that runs.
    pub(crate) fn after_exec(self, pid: Pid) -> io::Result<()> {
        if self == Self::ExecMovedOut { move_out(&pid.to_string()) } else { Ok(()) }
    }

    /// What it does after delete.
    pub(crate) fn after_delete(self, lab: &Lab<'_>, bundle: &Bundle) -> io::Result<()> {
        match self {
            Self::DeleteForeign => delete_foreign(bundle),
            Self::Leave(leftover) => leave(leftover, lab, bundle),
            Self::All(faults) => faults.iter().try_for_each(|fault| fault.after_delete(lab, bundle)),
            _ => Ok(()),
        }
    }
}

/// Takes a process to the control groups at the mount points.
fn move_out(pid: &str) -> io::Result<()> {
    cgroup::hierarchies()?.iter().try_for_each(|hierarchy| fs::write(hierarchy.mount.join("cgroup.procs"), pid))
}

fn leave(leftover: Leftover, lab: &Lab<'_>, bundle: &Bundle) -> io::Result<()> {
    match leftover {
        Leftover::State => fs::create_dir_all(lab.driver.root.join(&bundle.id)),
        Leftover::Cgroup => {
            let path = bundle.config.text("/linux/cgroupsPath").unwrap_or_default().trim_start_matches('/');
            let first = cgroup::hierarchies()?.into_iter().next();
            first.map_or(Ok(()), |hierarchy| fs::create_dir_all(hierarchy.mount.join(path)))
        }
        Leftover::Mount => {
            let place = lab.dir.join("left");
            fs::create_dir_all(&place)?;
            Ok(mount(Some("left"), &place, Some("tmpfs"), MsFlags::empty(), None::<&str>)?)
        }
        Leftover::File => fs::write(bundle.dir.join("left"), "left"),
        Leftover::HostFile => {
            let dir = lab.layered.borrow().clone();
            dir.map_or(Ok(()), |dir| fs::write(dir.join(format!("left-of-{}", bundle.id)), "left"))
        }
        Leftover::Process => {
            let argv = [lab.settings.probe.clone().into_os_string(), "hang".into()];
            Running::start(&argv, &[], Path::new("/"), vec![null()?, null()?, null()?]).map(drop)
        }
    }
}

/// Removes what the container used and create did not make.
fn delete_foreign(bundle: &Bundle) -> io::Result<()> {
    if_there(fs::remove_dir_all(bundle.dir.join("data")))?;
    let Some((above, _)) = bundle.config.text("/linux/cgroupsPath").and_then(|path| path.rsplit_once('/')) else {
        return Ok(());
    };
    for hierarchy in cgroup::hierarchies()? {
        let group = hierarchy.mount.join(above.trim_start_matches('/'));
        // Those that other checks use at this time are busy.
        let removed = if_there(fs::remove_dir(group));
        removed.map(drop).or_else(|why| if why.raw_os_error() == Some(libc::EBUSY) { Ok(()) } else { Err(why) })?;
    }
    Ok(())
}
