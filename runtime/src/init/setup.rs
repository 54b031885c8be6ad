//! The steps between the namespaces and the program: the file system, and what goes with it.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;

use super::{Init, Plan, Start, namespace};
use crate::config::{Mount, NamespaceKind};
use crate::error::{Context, Error, Result};
use crate::rootfs::console::Console;
use crate::rootfs::device::{self, Mechanism};
use crate::rootfs::mask::{self, Masks};
use crate::rootfs::mount::Request;
use crate::rootfs::options::Options;
use crate::rootfs::{Root, cgroup, is_cgroup, pivot, sysctl};
use crate::sync::Message;
use crate::{procfs, sys};

/// Ties the process to the runtime until the record is written: if the runtime is killed before, nothing is left.
pub(super) fn prepare(init: &mut Init<'_>) -> Result<()> {
    die_with_runtime()?;
    sys::unblock_all_signals().doing(|| "unblock the signals".into())?;
    match init.plan.start {
        // It may wait for long, and `kill` should reach it as it would reach the program.
        Start::OnConnection(_) => sys::end_by_signals(),
        Start::Now => sys::heed_signals(),
    }
    match rustix::process::setsid() {
        // A process that leads its group already cannot make a session; `exec` of a child never does.
        Ok(_) | Err(rustix::io::Errno::PERM) => {}
        Err(error) => return Err(error).doing(|| "make a session".into()),
    }
    Ok(())
}

/// A change of user clears this, so it is asked for twice.
pub(crate) fn die_with_runtime() -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).doing(|| "depend on the runtime".into())
}

/// The caller's keys are none of the container's business. session-keyring(7).
pub(super) fn keyring(init: &mut Init<'_>) -> Result<()> {
    join_keyring(init.plan)?.map_or(Ok(()), |warning| init.warn(warning))
}

/// Returns what to warn of.
pub(super) fn join_keyring(plan: &Plan<'_>) -> Result<Option<String>> {
    if plan.no_new_keyring {
        return Ok(None);
    }
    let name = std::ffi::CString::new(format!("_ses.{}", plan.id)).doing(|| "name it".into())?;
    match sys::join_session_keyring(&name) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM | libc::EDQUOT)) => {
            Ok(Some(format!("the container keeps the session keyring of the caller: {error}")))
        }
        joined => joined.doing(|| "join it".into()).map(|()| None),
    }
}

pub(super) fn separate(init: &mut Init<'_>) -> Result<()> {
    if !init.plan.config.linux.makes(NamespaceKind::Mount) {
        return Ok(());
    }
    pivot::separate(init.plan.config.linux.rootfs_propagation)
}

pub(super) fn attach_root(init: &mut Init<'_>) -> Result<()> {
    let plan = init.plan;
    let tree = match &plan.root_tree {
        Some(tree) => Some(tree.try_clone().doing(|| "copy a descriptor".into())?),
        None => None,
    };
    init.root = Some(pivot::attach_root(&plan.root_path, tree, plan.config.linux.rootfs_propagation)?);
    // The null device that masks files is the host's: it is opened while the host can be seen.
    if !plan.config.linux.masked_paths.is_empty() {
        init.masks = Some(Masks::new()?);
    }
    Ok(())
}

pub(super) fn mounts(init: &mut Init<'_>) -> Result<()> {
    for (planned, source) in init.plan.mounts.iter().zip(&init.plan.sources) {
        if shows_network(&planned.mount) {
            namespace::network(init)?;
        }
        if is_cgroup(&planned.mount) {
            cgroup::mount(init.root()?, &planned.mount, init.plan.gateway.mounts.as_ref())
                .doing(|| format!("mount `{}`", planned.mount.destination.display()))?;
            continue;
        }
        let request = Request::new(&planned.mount, &init.plan.config.linux.mount_label, init.plan.bundle);
        let source = match source.take() {
            Some(source) => Some(source.tree(init.root()?).doing(|| request.doing())?),
            None if request.is_new_procfs() => init.procs.pop_front(),
            None => None,
        };
        let mounted = match request.make(init.root()?, source) {
            Err(error) if planned.by_default => {
                init.warn(format!("a default file system is missing: {error}"))?;
                continue;
            }
            mounted => mounted?,
        };
        init.read_only_later.extend(mounted.read_only_later);
        if let Some(root) = mounted.new_root {
            init.root = Some(Root::new(root));
        }
    }
    Ok(())
}

/// Whether the network of who mounts it can be seen in a mount, as in a sysfs, or be asked for it, as by what is not known
/// here.
fn shows_network(mount: &Mount) -> bool {
    let indifferent = ["proc", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"];
    let kind = mount.kind.as_deref().unwrap_or_default();
    Options::parse(&mount.options).bind.is_none() && !indifferent.contains(&kind)
}

/// From when the runtime hears that they are made the device rules hold.
pub(super) fn devices(init: &mut Init<'_>) -> Result<()> {
    let linux = &init.plan.config.linux;
    let make = |mechanism| device::make_all(init.root()?, &linux.devices, mechanism, &init.plan.devices);
    let mechanism = if linux.has_user_namespace() { Mechanism::Bind } else { Mechanism::Node };
    let is_refused = |error: &Error| mechanism == Mechanism::Node && error.errno() == Some(libc::EPERM);
    match make(mechanism) {
        // The runtime itself is in a user namespace.
        Err(error) if is_refused(&error) && procfs::in_user_namespace() => make(Mechanism::Bind)?,
        made => made?,
    }
    init.channel.send(&Message::DevicesMade)
}

/// The runtime keeps its end of the terminal, or hands it to whoever asked for it.
pub(super) fn console(init: &mut Init<'_>) -> Result<()> {
    let Some(process) = init.plan.process.filter(|process| process.terminal) else { return Ok(()) };
    let console = Console::open(init.root()?, init.plan.host_ptmx.as_ref(), process.console_size)?;
    if !init.plan.joins_container() {
        console.attach(init.root()?)?;
    }
    init.channel.send_with(&Message::Console, console.master.as_fd())?;
    init.console = Some(console);
    Ok(())
}

/// The last moment at which the host can be seen: the runtime runs its hooks and moves devices.
pub(super) fn environment(init: &mut Init<'_>) -> Result<()> {
    for mount in init.read_only_later.drain(..) {
        mask::set_read_only(mount.as_fd(), false)?;
    }
    if init.plan.stops_at_environment {
        init.channel.send(&Message::EnvironmentReady)?;
        init.channel.expect(&Message::GoOn)?;
    }
    Ok(())
}

pub(super) fn change_root(init: &mut Init<'_>) -> Result<()> {
    let linux = &init.plan.config.linux;
    let root = init.root()?;
    if linux.namespace(NamespaceKind::Mount).is_none() {
        return pivot::change_root(root);
    }
    let plan = init.plan;
    if plan.no_pivot { pivot::move_over(root, plan.proc.as_fd(), &plan.root_path) } else { pivot::pivot(root) }
}

/// After the paths are masked and made read-only: nobody can bind from a mount that is unbindable, the runtime included.
pub(super) fn propagate(init: &mut Init<'_>) -> Result<()> {
    let linux = &init.plan.config.linux;
    match linux.namespace(NamespaceKind::Mount) {
        Some(_) => pivot::propagate_root(init.root()?, linux.rootfs_propagation),
        None => Ok(()),
    }
}

pub(super) fn sysctl(init: &mut Init<'_>) -> Result<()> {
    sysctl::write_all(init.plan.proc.as_fd(), &init.plan.config.linux)
}

pub(super) fn read_only(init: &mut Init<'_>) -> Result<()> {
    mask::make_read_only(init.root()?, &init.plan.config.linux.readonly_paths)?;
    if init.plan.config.root.readonly {
        make_working_directory(init)?;
        mask::set_read_only(init.root()?.as_fd(), false)?;
    }
    Ok(())
}

/// It cannot be made any more once the root is read-only. Where that is impossible it may be below a mount, or there already:
/// the program's set-up tells.
fn make_working_directory(init: &Init<'_>) -> Result<()> {
    let Some(process) = init.plan.process else { return Ok(()) };
    match init.root()?.make_directory(&process.cwd) {
        Err(error) if error.errno() == Some(libc::EROFS) => Ok(()),
        made => made.map(drop),
    }
}

pub(super) fn mask(init: &mut Init<'_>) -> Result<()> {
    let Some(mut masks) = init.masks.take() else { return Ok(()) };
    for path in &init.plan.config.linux.masked_paths {
        masks.mask(init.root()?, path)?;
    }
    Ok(())
}

/// `exec`: the root of the joined mount namespace is the container's.
pub(super) fn find_root(init: &mut Init<'_>) -> Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(Path::new("/"), flags, Mode::empty()).doing(|| "open `/`".into())?;
    init.root = Some(Root::new(root));
    Ok(())
}
