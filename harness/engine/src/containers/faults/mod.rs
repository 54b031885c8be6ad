//! Faults that happen after an operation. The faults themselves are in [`crate::runtime::fault`].

mod listener;
mod network;

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::Pid;
use plimsoll_fixtures::Bundle;
use plimsoll_foreign::read;

use crate::containers::lab::Lab;
use crate::containers::users::FIRST_ID;
use crate::runtime::fault::{Fault, Leftover};
use crate::system::cgroup;
use crate::system::proc::files::if_there;
use crate::system::process::{Running, null};

impl Fault {
    /// What it does after a create that worked.
    pub(crate) fn after_create(self, lab: &Lab<'_>, bundle: &Bundle) -> io::Result<()> {
        let pid_file = lab.pid_file(bundle);
        match self {
            Self::WrongPid => fs::write(pid_file, "1"),
            Self::GiveNullAway => chown("/dev/null", Some(FIRST_ID), None),
            Self::MoveOut => {
                let Some(pid) = read::text_if_there(&pid_file, read::NUMBER)? else { return Ok(()) };
                move_out(pid.trim())
            }
            Self::Beside => on_groups(&pid_file, move_beside),
            Self::Above => on_groups(&pid_file, |_, group| limit_above(group)),
            Self::GiveGroupAway => on_groups(&pid_file, |_, group| give_away(group)),
            Self::DropGroupOptions => {
                let place = lab.dir.join("groups");
                fs::create_dir_all(&place)?;
                cgroup::set_options(&place, &[])?;
                fs::remove_dir(place)
            }
            Self::All(faults) => faults.iter().try_for_each(|fault| fault.after_create(lab, bundle)),
            Self::Network(wrong) => {
                let Some(pid) = read::text_if_there(&pid_file, read::NUMBER)? else { return Ok(()) };
                wrong.at_create(pid.trim())
            }
            Self::OpenState => {
                let state = lab.driver.root.join(&bundle.id);
                if_there(fs::set_permissions(state, fs::Permissions::from_mode(0o777))).map(drop)
            }
            Self::Scribble => {
                fs::create_dir_all(bundle.rootfs().join("etc"))?;
                fs::write(bundle.rootfs().join("etc/resolv.conf"), "nameserver 192.0.2.1\n")
            }
            _ => Ok(()),
        }
    }

    /// What it does after start, to the container of this process.
    pub(crate) fn after_start(self, pid: Pid) -> io::Result<()> {
        if let Self::Network(wrong) = self { wrong.at_start(pid) } else { Ok(()) }
    }

    /// What it does to the program of exec, which is this process, once that runs.
    pub(crate) fn after_exec(self, pid: Pid) -> io::Result<()> {
        if self == Self::ExecMovedOut { move_out(&pid.to_string()) } else { Ok(()) }
    }

    /// What it does after delete.
    pub(crate) fn after_delete(self, lab: &Lab<'_>, bundle: &Bundle) -> io::Result<()> {
        match self {
            Self::DeleteForeign => delete_foreign(bundle),
            Self::Beside => remove_beside(bundle),
            Self::Network(wrong) => wrong.at_delete(bundle),
            Self::Leave(leftover) => leave(leftover, lab, bundle),
            Self::All(faults) => faults.iter().try_for_each(|fault| fault.after_delete(lab, bundle)),
            _ => Ok(()),
        }
    }
}

/// Takes a process to the control groups of the harness.
fn move_out(pid: &str) -> io::Result<()> {
    let own = cgroup::of(nix::unistd::getpid())?.into_iter().filter_map(|membership| membership.dir);
    own.into_iter().try_for_each(|dir| fs::write(dir.join("cgroup.procs"), pid))
}

/// Does something about a process and each of its groups that is below another one.
fn on_groups(pid_file: &Path, deed: impl Fn(&str, &Path) -> io::Result<()>) -> io::Result<()> {
    let Some(pid) = read::text_if_there(pid_file, read::NUMBER)? else { return Ok(()) };
    let number = Pid::from_raw(pid.trim().parse().map_err(io::Error::other)?);
    let groups = cgroup::of(number)?.into_iter().filter_map(|membership| membership.dir);
    let mut groups = groups.filter(|dir| dir.parent().is_some_and(|above| above.join("cgroup.procs").exists()));
    groups.try_for_each(|group| deed(pid.trim(), &group))
}

/// Takes a process to a group of the same hierarchy that nobody has limited.
fn move_beside(pid: &str, group: &Path) -> io::Result<()> {
    let (Some(above), Some(name)) = (group.parent(), group.file_name()) else { return Ok(()) };
    let beside = above.join(format!("{}{BESIDE}", name.to_string_lossy()));
    fs::create_dir_all(&beside)?;
    // A cpuset of version 1 takes no process before it has processors and nodes.
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if let Some(list) = if_there(read::kernel_bytes(above.join(file)))?.filter(|list| list.len() > 1) {
            fs::write(beside.join(file), list)?;
        }
    }
    fs::write(beside.join("cgroup.procs"), pid)
}

/// Limits of which the group above gets a copy.
const LIMITS: [&str; 3] = ["pids.max", "memory.limit_in_bytes", "memory.max"];

fn limit_above(group: &Path) -> io::Result<()> {
    for limit in LIMITS {
        if let (Some(held), Some(above)) = (if_there(read::kernel_bytes(group.join(limit)))?, group.parent()) {
            fs::write(above.join(limit), held)?;
        }
    }
    Ok(())
}

fn give_away(group: &Path) -> io::Result<()> {
    let to = Some(crate::containers::users::FIRST_ID);
    for entry in fs::read_dir(group)? {
        chown(entry?.path(), to, None)?;
    }
    chown(group, to, None)
}

/// The end of the names of groups beside a container's own.
const BESIDE: &str = "-beside";

fn remove_beside(bundle: &Bundle) -> io::Result<()> {
    let path = bundle.config.text("/linux/cgroupsPath").unwrap_or_default();
    let group = format!("{}{BESIDE}", path.trim_start_matches('/'));
    cgroup::hierarchies()?.iter().try_for_each(|hierarchy| cgroup::remove_tree(&hierarchy.mount.join(&group)))
}

fn leave(leftover: Leftover, lab: &Lab<'_>, bundle: &Bundle) -> io::Result<()> {
    match leftover {
        Leftover::State => fs::create_dir_all(lab.driver.root.join(&bundle.id)),
        Leftover::Cgroup => {
            let path = bundle.config.text("/linux/cgroupsPath").unwrap_or_default().trim_start_matches('/');
            in_first_hierarchy(path)
        }
        // In its name the id, by which it is found and removed.
        Leftover::ForeignCgroup if cgroup::is_confined() => in_each_hierarchy(FOREIGN),
        Leftover::ForeignCgroup => in_each_hierarchy(&format!("{FOREIGN}-{}", bundle.id)),
        Leftover::OtherCgroup => in_first_hierarchy(&format!("left-of-{}", bundle.id)),
        Leftover::Mount => {
            let place = lab.dir.join("left");
            fs::create_dir_all(&place)?;
            Ok(mount(Some("left"), &place, Some("tmpfs"), MsFlags::empty(), None::<&str>)?)
        }
        Leftover::File => fs::write(bundle.dir.join("left"), "left"),
        Leftover::HostFile => {
            let dir = lab.overlaid.borrow().clone();
            dir.map_or(Ok(()), |dir| fs::write(dir.join(format!("left-of-{}", bundle.id)), "left"))
        }
        Leftover::Process => {
            let argv = [lab.settings.probe.clone().into_os_string(), "hang".into()];
            Running::start(&argv, &[], Path::new("/"), vec![null()?, null()?, null()?]).map(drop)
        }
    }
}

/// The name of a group that nobody would take for a container's. Only a check with groups of its own is left with it.
const FOREIGN: &str = "somebody-else";

fn in_each_hierarchy(path: &str) -> io::Result<()> {
    cgroup::hierarchies()?.iter().try_for_each(|hierarchy| fs::create_dir_all(hierarchy.mount.join(path)))
}

fn in_first_hierarchy(path: &str) -> io::Result<()> {
    let first = cgroup::hierarchies()?.into_iter().next();
    first.map_or(Ok(()), |hierarchy| fs::create_dir_all(hierarchy.mount.join(path)))
}

/// Removes what the container used and create did not make.
fn delete_foreign(bundle: &Bundle) -> io::Result<()> {
    for dir in [bundle.dir.join("data"), bundle.rootfs()] {
        // A mount below stays, with what lies on it.
        if_there(fs::remove_dir_all(dir)).map(drop).or_else(unless_busy)?;
    }
    for path in bundle.config.list("/linux/namespaces").iter().filter_map(|entry| entry["path"].as_str()) {
        // A path in /proc is no mount.
        let _no_mount = umount2(path, MntFlags::MNT_DETACH);
    }
    let Some(own) = bundle.config.text("/linux/cgroupsPath") else { return Ok(()) };
    let above = own.rsplit_once('/').map(|(above, _)| above);
    for (hierarchy, path) in cgroup::hierarchies()?.iter().flat_map(|one| [Some(own), above].map(|path| (one, path))) {
        let Some(path) = path else { continue };
        let group = hierarchy.mount.join(path.trim_start_matches('/'));
        // Those that other checks use at this time are busy.
        if_there(fs::remove_dir(group)).map(drop).or_else(unless_busy)?;
    }
    Ok(())
}

fn unless_busy(why: io::Error) -> io::Result<()> {
    if why.raw_os_error() == Some(libc::EBUSY) { Ok(()) } else { Err(why) }
}
