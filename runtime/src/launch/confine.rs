//! The cgroup of a container that is about to be made.

use std::path::Path;
use std::rc::Rc;

use rustix::fs::Access;
use rustix::process::{Gid, Pid, Uid};

use super::LaunchRequest;
use super::prepare::is_foreign;
use crate::cgroup::{self, Below, Cgroup, Entry, Host, Manager, Mounts, Place, Site};
use crate::config::{Config, NamespaceKind};
use crate::container::Directory;
use crate::error::{Context, Error, Result};
use crate::init::Gateway;
use crate::resctrl::Groups;
use crate::rootfs::{inside, is_cgroup};
use crate::sync::{Channel, Message};

/// Finds the place of the cgroup and notes it, so that `delete` finds it whatever happens next.
///
/// # Errors
/// When the place is refused, such as for other processes in it, or the note cannot be written.
pub fn choose(request: &LaunchRequest, config: &Config, directory: &Directory) -> Result<Box<dyn Cgroup>> {
    let host = Host::detect()?;
    let rootless = request.rootless;
    let place = Place::choose(
        cgroup::Request {
            id: &request.id,
            cgroups_path: config.linux.cgroups_path.as_deref(),
            systemd: request.systemd_cgroup,
            rootless,
        },
        &host,
    )?;
    let mut site = Site::survey(place, &host);
    if rootless && !may_make(&site) {
        let place = Place { manager: Manager::Absent, ..site.place };
        site = Site::survey(place, &host);
    }
    let cgroup = cgroup::open(&site, &host)?;
    // Whatever is noted is killed with the container.
    if site.was_there(&host) && !cgroup.processes()?.is_empty() {
        let path = &site.place.path;
        return Err(Error::new(format!(
            "linux.cgroupsPath: the cgroup `{path}` has other processes; choose another one"
        )));
    }
    let note = serde_json::to_vec(&site).doing(|| "write where the cgroup is".into())?;
    directory.write(&directory.site(), &note)?;
    Ok(cgroup)
}

/// Whether the directories that are missing can be made: what the host delegated to this user.
fn may_make(site: &Site) -> bool {
    let writable = |above: &Path| rustix::fs::access(above, Access::WRITE_OK).is_ok();
    // Those below one that is missing too follow from it.
    let mut outermost = site.made.iter().filter_map(|made| made.parent()).filter(|above| above.exists());
    outermost.all(writable)
}

/// Notes and makes the groups of resctrl, when the configuration asks for some.
///
/// # Errors
/// When resctrl is not mounted or refuses.
pub fn resctrl(config: &Config, directory: &Directory) -> Result<Option<Groups>> {
    let Some(rdt) = &config.linux.intel_rdt else { return Ok(None) };
    let groups = Groups::choose(rdt, &directory.id)?;
    let note = serde_json::to_vec(&groups).doing(|| "write where the resctrl groups are".into())?;
    directory.write(&directory.resctrl(), &note)?;
    groups.make(rdt)?;
    Ok(Some(groups))
}

/// Makes the cgroup and opens the way into it. What a process can join by itself is left to the init process when that
/// has the rights and the sight for it, so that the runtime can do something else meanwhile.
///
/// # Errors
/// When it cannot be made, or a limit cannot be set.
pub fn prepare(cgroup: &Rc<dyn Cgroup>, config: &Config) -> Result<Gateway> {
    let is_able = !config.linux.has_user_namespace() && !is_foreign(config);
    if !is_able || !cgroup.is_joined_late() {
        return confine(&**cgroup, config);
    }
    let (directory, own) = (cgroup.clone_target()?, Some(Rc::clone(cgroup)));
    Ok(Gateway { directory, own, mounts: shown(&**cgroup, config), ..Gateway::default() })
}

/// Makes the cgroup with its limits, and opens the way into it.
///
/// # Errors
/// As [`prepare`].
pub fn confine(cgroup: &dyn Cgroup, config: &Config) -> Result<Gateway> {
    make(cgroup, config)?;
    let gateway = gateway(cgroup.entry(None)?)?;
    Ok(Gateway { waits: cgroup.adopts(), mounts: shown(cgroup, config), ..gateway })
}

/// Makes the cgroup with its limits.
///
/// # Errors
/// As [`prepare`].
pub fn make(cgroup: &dyn Cgroup, config: &Config) -> Result<()> {
    cgroup.make()?;
    if cgroup.is_frozen()? {
        // A process that is created there would never take a step, and `create` would wait for it.
        return Err(Error::new("the cgroup of the container is frozen: thaw it, or choose another cgroupsPath"));
    }
    cgroup.apply(&config.linux.resources)?;
    delegated_to(config).map_or(Ok(()), |(uid, gid)| cgroup.hand_over(uid, gid))
}

/// What mounts of type `cgroup` show, if there are some.
fn shown(cgroup: &dyn Cgroup, config: &Config) -> Option<Mounts> {
    config.mounts.iter().any(is_cgroup).then(|| cgroup.mounts())
}

/// Opens the way into the cgroup of the container whose init process is `init`, or into those chosen below.
///
/// # Errors
/// When the cgroup cannot be opened.
pub fn enter(cgroup: &dyn Cgroup, init: Option<Pid>, chosen: &[Below]) -> Result<Gateway> {
    // Only the init process is the manager's to move, so nothing waits: a later one comes where that is.
    gateway(if chosen.is_empty() { cgroup.entry(init) } else { cgroup.entry_below(chosen) }?)
}

fn gateway(entry: Entry) -> Result<Gateway> {
    let directory = entry.directory().map(|directory| directory.try_clone_to_owned()).transpose();
    let directory = directory.doing(|| "copy a descriptor".into())?;
    Ok(Gateway { entry: Some(entry).into(), directory, ..Gateway::default() })
}

/// Lets the manager move the init process into the cgroup.
///
/// # Errors
/// When the manager refuses.
pub fn adopt(cgroup: &dyn Cgroup, gateway: &Gateway, pid: i32, channel: &Channel) -> Result<()> {
    let number = Pid::from_raw(pid).ok_or_else(|| Error::new("the init process has no number"))?;
    cgroup.adopt(number)?;
    if gateway.waits { channel.send(&Message::Adopted) } else { Ok(()) }
}

/// Whether the cgroup is handed over: it is mounted writable and a cgroup namespace of its own bounds it.
/// Specification: `config-linux.md`, Cgroup ownership.
pub fn is_delegated(config: &Config) -> bool {
    let writable = config.mounts.iter().any(|mount| {
        is_cgroup(mount)
            && inside(&mount.destination) == inside("/sys/fs/cgroup".as_ref())
            && !mount.options.iter().any(|option| option == "ro")
    });
    writable && config.linux.makes(NamespaceKind::Cgroup)
}

/// The owner of a cgroup that is handed over.
fn delegated_to(config: &Config) -> Option<(Uid, Gid)> {
    let linux = &config.linux;
    let user = &config.process.as_ref().filter(|_| is_delegated(config))?.user;
    let (uid, gid) = (linux.host_uid(user.uid)?, linux.host_gid(user.gid)?);
    Some((Uid::from_raw(uid), Gid::from_raw(gid)))
}
