//! What is decided, opened and checked before the init process is created.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::{id_map, network};
use crate::cgroup::Below;
use crate::config::{Config, HookKind, Mount, NamespaceKind};
use crate::container::Directory;
use crate::error::{Context, Error, Result};
use crate::init::{Entering, Gateway, Plan, Start, rlimit};
use crate::rootfs::detached::clone_tree;
use crate::rootfs::mount::Request;
use crate::rootfs::options::Options;
use crate::rootfs::{IdMap, Planned, Source, console, device, pivot, plan_mounts, source};
use crate::seccomp::{Filter, Handover};
use crate::{procfs, sync};

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct LaunchRequest {
    /// The container's id.
    pub id: String,
    /// The bundle, as given.
    pub bundle: PathBuf,
    /// `--root`.
    pub state_root: PathBuf,
    /// Where the terminal is sent to.
    pub console_socket: Option<PathBuf>,
    /// Where the number of the init process is written to.
    pub pid_file: Option<PathBuf>,
    /// Where a pidfd of the init process is sent to.
    pub pidfd_socket: Option<PathBuf>,
    /// Whether the container goes on without the runtime.
    pub detach: bool,
    /// See [`Plan::no_pivot`].
    pub no_pivot: bool,
    /// See [`Plan::no_new_keyring`].
    pub no_new_keyring: bool,
    /// See [`Plan::preserve_fds`].
    pub preserve_fds: u32,
    /// Sockets that the caller was given to listen on, from descriptor 3 on, which the program gets. sd_listen_fds(3).
    pub listen_fds: u32,
    /// The socket of the service manager that waits for the program to be ready. sd_notify(3).
    pub notify: Option<OsString>,
    /// Whether systemd manages the cgroups.
    pub systemd_cgroup: bool,
    /// Whether to do without cgroups that are not delegated to the caller.
    pub rootless: bool,
    /// Where below the container's cgroup a further process goes.
    pub cgroups: Vec<Below>,
}

impl LaunchRequest {
    /// The absolute path of the bundle.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn bundle(&self) -> Result<PathBuf> {
        let bundle = fs::canonicalize(&self.bundle);
        bundle.doing(|| format!("open the bundle `{}`", self.bundle.display()))
    }

    /// Checks what the command line and the configuration say together.
    ///
    /// # Errors
    /// When they contradict each other.
    pub fn check(&self, config: &Config, start_now: bool) -> Result<()> {
        let Some(process) = &config.process else {
            return if start_now { Err(Error::new("process: is needed to run a container")) } else { Ok(()) };
        };
        // What create makes has nobody in front of it.
        self.check_terminal(process.terminal, self.detach || !start_now)
    }

    /// Checks that a terminal has somebody at its other end.
    ///
    /// # Errors
    /// When it has not, or is not asked for.
    pub fn check_terminal(&self, terminal: bool, detached: bool) -> Result<()> {
        match (&self.console_socket, terminal) {
            (None, true) if detached => {
                Err(Error::new("process.terminal: a detached container needs --console-socket"))
            }
            (Some(_), false) => Err(Error::new("--console-socket: process.terminal is not set")),
            _ => Ok(()),
        }
    }

    /// Writes the pid file, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_pid_file(&self, pid: i32) -> Result<()> {
        let Some(path) = &self.pid_file else { return Ok(()) };
        let doing = || format!("write the pid file `{}`", path.display());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let partial = path.with_file_name(format!(".{name}.partial"));
        fs::write(&partial, pid.to_string()).doing(doing)?;
        fs::rename(&partial, path).doing(doing)
    }

    /// Sends a pidfd of the init process to `--pidfd-socket`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn send_pidfd(&self, pidfd: &OwnedFd) -> Result<()> {
        self.pidfd_socket.as_deref().map_or(Ok(()), |path| send_to_socket(path, b"pidfd", pidfd))
    }

    /// Sends the terminal to `--console-socket`; returns it when there is none.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn hand_over_console(&self, console: OwnedFd) -> Result<Option<OwnedFd>> {
        let Some(path) = &self.console_socket else { return Ok(Some(console)) };
        send_to_socket(path, b"/dev/ptmx", &console).map(|()| None)
    }
}

/// Connects to a socket of the caller and sends a descriptor with a name.
fn send_to_socket(path: &Path, name: &[u8], fd: &OwnedFd) -> Result<()> {
    let doing = || format!("send a descriptor to `{}`", path.display());
    let socket = stream_socket().doing(doing)?;
    let address = SocketAddrUnix::new(path).doing(doing)?;
    rustix::net::connect(&socket, &address).doing(doing)?;
    sync::send_with_fds(socket.as_fd(), name, &[fd.as_fd()]).doing(doing)
}

fn stream_socket() -> rustix::io::Result<OwnedFd> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

/// The name of the start socket until the container is created: its final name tells that it waits for `start`.
const UNPUBLISHED: &str = "unready.sock";

/// The address of a socket in the container's directory, whose path may be longer than an address.
///
/// # Errors
/// When the directory is gone.
pub fn socket_address(directory: &Directory, name: &str) -> Result<(OwnedFd, SocketAddrUnix)> {
    let doing = || format!("reach the socket of container `{}`", directory.id);
    let opened = rustix::fs::open(&directory.path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).doing(doing)?;
    let address = SocketAddrUnix::new(format!("/proc/self/fd/{}/{name}", opened.as_raw_fd())).doing(doing)?;
    Ok((opened, address))
}

/// The listening socket at which the init process waits for `start`.
pub(super) fn start_socket(directory: &Directory) -> Result<OwnedFd> {
    let doing = || "make the start socket".to_owned();
    let kind = SocketType::SEQPACKET;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).doing(doing)?;
    let (_opened, address) = socket_address(directory, UNPUBLISHED)?;
    rustix::net::bind(&socket, &address).doing(doing)?;
    rustix::net::listen(&socket, 1).doing(doing)?;
    Ok(socket)
}

/// From here on the container is `created`.
pub(super) fn publish_start_socket(directory: &Directory) -> Result<()> {
    let renamed = fs::rename(directory.path.join(UNPUBLISHED), directory.start_socket());
    renamed.doing(|| "publish the start socket".into())
}

/// Opens and decides all that the init process needs.
pub(super) fn plan<'a>(
    request: &'a LaunchRequest,
    config: &'a Config,
    bundle: &'a Path,
    gateway: Gateway,
    start: Start,
) -> Result<Plan<'a>> {
    let root_path = bundle.join(&config.root.path);
    let root_path = fs::canonicalize(&root_path).doing(|| format!("root.path: open `{}`", root_path.display()))?;
    let mounts = plan_mounts(config);
    let foreign = is_foreign(config);
    let open_files = rlimit::make_room(mounts.len())?;
    let joined = super::open_joined(&config.linux)?;
    let source = |planned| source(planned, config, (bundle, &root_path), &joined, foreign).map(RefCell::new);
    let sources = mounts.iter().map(source);
    let sources = sources.collect::<Result<_>>()?;
    let root_tree = if foreign { Some(detached(&root_path, true, config)?) } else { None };
    let terminal = config.process.as_ref().is_some_and(|process| process.terminal);
    let proc = procfs::open()?;
    // The last kind runs in the container, but the runtime should know that hooks run from here on.
    let hooks = [HookKind::Prestart, HookKind::CreateRuntime, HookKind::CreateContainer];
    Ok(Plan {
        id: &request.id,
        bundle,
        config,
        process: config.process.as_ref(),
        entering: Entering::Create { joined },
        gateway,
        root_path,
        root_tree,
        mounts,
        sources,
        open_files,
        devices: if foreign && config.linux.has_user_namespace() {
            device::prepare(&config.linux)?
        } else {
            Vec::new()
        },
        own_network: network::own(&config.linux, proc.as_fd())?,
        proc,
        host_ptmx: if terminal { console::host_ptmx() } else { None },
        stops_at_environment: hooks.iter().any(|kind| !config.hooks.of(*kind).is_empty())
            || !config.linux.net_devices.is_empty(),
        start,
        filter: filter(config)?,
        handover: handover(config)?,
        preserve_fds: request.preserve_fds.saturating_add(request.listen_fds),
        listen_fds: request.listen_fds,
        no_pivot: request.no_pivot,
        no_new_keyring: request.no_new_keyring,
    })
}

/// The compiled seccomp profile.
///
/// # Errors
/// When it cannot be compiled.
pub(super) fn filter(config: &Config) -> Result<Option<Filter>> {
    config.linux.seccomp.as_ref().map(Filter::compile).transpose()
}

/// The way of the seccomp listener to the runtime, when there is one.
///
/// # Errors
/// When there is no memory to share.
pub(super) fn handover(config: &Config) -> Result<Option<Handover>> {
    config.linux.seccomp.as_ref().filter(|profile| profile.notifies()).map(|_| Handover::new()).transpose()
}

/// Whether the init process sees other mounts or has less rights than the runtime when it makes its mounts. Without
/// root's rights it is the other way round: only in its user namespace can mounts be made at all.
pub(super) fn is_foreign(config: &Config) -> bool {
    if !rustix::process::geteuid().is_root() {
        return false;
    }
    config.linux.has_user_namespace()
        || config.linux.namespace(NamespaceKind::Mount).is_some_and(|namespace| namespace.path.is_some())
}

/// The source of a bind mount that the init process could not clone itself: for want of rights or sight, or since it
/// is id-mapped, which takes rights over its file system.
fn source(
    planned: &Planned,
    config: &Config,
    (bundle, root_path): (&Path, &Path),
    joined: &[(NamespaceKind, OwnedFd)],
    foreign: bool,
) -> Result<Option<Source>> {
    let mount = &planned.mount;
    let options = Options::parse(&mount.options);
    let Some(recursive) = options.bind else { return Ok(None) };
    let mapped = options.id_map.is_some() || !mount.uid_mappings.is_empty();
    if !foreign && !mapped {
        return Ok(None);
    }
    let request = Request::new(mount, "", bundle);
    let source = || -> Result<_> {
        let path = request.source_path()?;
        let inside = source::below(path, [root_path, &bundle.join(&config.root.path)]);
        let tree = match detached(path, recursive, config) {
            Err(error) if inside.is_some() && source::is_missing(&error) => None,
            tree => Some(tree?),
        };
        let id_map = mapped.then(|| id_map(mount, config, joined, options.id_map == Some(true))).transpose()?;
        if let (Some(tree), Some(map)) = (&tree, &id_map) {
            map.apply(tree.as_fd())?;
        }
        Ok(Some(Source { tree, inside, recursive, id_map }))
    };
    source().doing(|| request.doing())
}

/// The translation of the owners of a mount: its own, else that of the container's user namespace.
fn id_map(mount: &Mount, config: &Config, joined: &[(NamespaceKind, OwnedFd)], recursive: bool) -> Result<IdMap> {
    let linux = &config.linux;
    let joined = joined.iter().find(|(kind, _)| *kind == NamespaceKind::User);
    let namespace = match joined {
        _ if !mount.uid_mappings.is_empty() => id_map::user_namespace(&mount.uid_mappings, &mount.gid_mappings)?,
        Some((_, namespace)) => namespace.try_clone().doing(|| "copy a descriptor".into())?,
        None => id_map::user_namespace(&linux.uid_mappings, &linux.gid_mappings)?,
    };
    Ok(IdMap { namespace, recursive })
}

/// A clone of a tree of the host, with the propagation that the container's own namespace would have given it.
fn detached(path: &Path, recursive: bool, config: &Config) -> Result<OwnedFd> {
    let tree = clone_tree(path, recursive)?;
    let propagation = crate::config::Propagation::of_inherited(config.linux.rootfs_propagation);
    pivot::propagate(tree.as_fd(), propagation.unwrap_or(libc::MS_SLAVE), true)?;
    Ok(tree)
}

/// The runtime sets the score, since a process in a user namespace cannot lower its own.
pub(super) fn oom_score(plan: &Plan<'_>, pid: i32) -> Result<()> {
    let Some(score) = plan.process.and_then(|process| process.oom_score_adj) else { return Ok(()) };
    procfs::write(plan.proc.as_fd(), &Path::new(&pid.to_string()).join("oom_score_adj"), &score.to_string())
        .doing(|| "process.oomScoreAdj".into())
}
