//! What the runtime prepared for the init process, before that was created.

use std::cell::RefCell;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::process::Rlimit;

use crate::cgroup::{Cgroup, Entry, Mounts};
use crate::config::{Config, HookKind, NamespaceKind, Process};
use crate::container::{State, Status};
use crate::rootfs::{Planned, Source};
use crate::seccomp::{Filter, Handover};

/// Everything the init process works from.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The container's id.
    pub id: &'a str,
    /// The bundle: an absolute path.
    pub bundle: &'a Path,
    /// The configuration.
    pub config: &'a Config,
    /// The program; that of the configuration, or the one that `exec` starts.
    pub process: Option<&'a Process>,
    /// Where the namespaces come from.
    pub entering: Entering,
    /// How the process gets into its cgroup.
    pub gateway: Gateway,
    /// The directory of the root file system: an absolute path.
    pub root_path: PathBuf,
    /// The root file system as a detached tree, when the init process may not be able to reach it.
    pub root_tree: Option<OwnedFd>,
    /// The mounts, in order.
    pub mounts: Vec<Planned>,
    /// For each of them the source of a bind mount, when the init process may not be able to clone it.
    pub sources: Vec<RefCell<Option<Source>>>,
    /// The limit of descriptors that the program is to have, when the runtime has raised it to hold all of these.
    pub open_files: Option<Rlimit>,
    /// The configured devices as detached mounts, when the init process may not make them.
    pub devices: Vec<OwnedFd>,
    /// The host's `/proc`, verified to be procfs.
    pub proc: OwnedFd,
    /// The network namespace of the runtime, when that makes the container's, sends it, and comes back.
    pub own_network: Option<OwnedFd>,
    /// The host's ptmx, when a terminal is asked for.
    pub host_ptmx: Option<OwnedFd>,
    /// Whether the runtime has something to do once the environment is made.
    pub stops_at_environment: bool,
    /// When the program starts.
    pub start: Start,
    /// The filter of system calls.
    pub filter: Option<Filter>,
    /// The way of its listener to the runtime, when it notifies.
    pub handover: Option<Handover>,
    /// How many descriptors after standard error are kept.
    pub preserve_fds: u32,
    /// How many of these are sockets that the program is told of. sd_listen_fds(3).
    pub listen_fds: u32,
    /// Whether the root is moved over `/` instead of pivoted.
    pub no_pivot: bool,
    /// Whether the session keyring of the caller is kept.
    pub no_new_keyring: bool,
}

/// Where the namespaces of the process come from.
#[derive(Debug)]
pub enum Entering {
    /// A new container: `joined` are those with a path, the others were made by the clone.
    Create {
        /// Kind and namespace.
        joined: Vec<(NamespaceKind, OwnedFd)>,
    },
    /// An existing container: that of the process behind the pidfd, as far as they differ from the runtime's.
    Container {
        /// The container's init process.
        pidfd: OwnedFd,
        /// `CLONE_NEW…` flags of those that differ.
        flags: u64,
    },
}

/// How the process gets into its cgroup.
#[derive(Debug, Default)]
pub struct Gateway {
    /// The descriptors that lead into the cgroup; the init process uses them once.
    pub entry: RefCell<Option<Entry>>,
    /// The version 2 cgroup that the process is created in.
    pub directory: Option<OwnedFd>,
    /// The cgroup, when the process makes the rest of it and joins that by itself.
    pub own: Option<Rc<dyn Cgroup>>,
    /// Whether the process waits until its manager has moved it into the cgroup.
    pub waits: bool,
    /// What a mount of type `cgroup` shows.
    pub mounts: Option<Mounts>,
}

/// When the program starts.
#[derive(Debug)]
pub enum Start {
    /// As soon as it is set up.
    Now,
    /// When somebody connects to this listening socket.
    OnConnection(OwnedFd),
}

impl Plan<'_> {
    /// Whether the process joins an existing container.
    pub fn joins_container(&self) -> bool {
        matches!(self.entering, Entering::Container { .. })
    }

    /// Whether the init process is created where others may look into it: in a pid namespace that is joined.
    pub fn shares_processes(&self) -> bool {
        self.joined(NamespaceKind::Pid).is_some()
    }

    /// Whether createContainer hooks take a process of their own: see `init::hooks`.
    pub fn needs_runner(&self) -> bool {
        let has_hooks = !self.config.hooks.of(HookKind::CreateContainer).is_empty();
        self.shares_processes() && self.config.linux.has_user_namespace() && has_hooks
    }

    /// The namespace of `kind` that is joined, if it is.
    pub fn joined(&self, kind: NamespaceKind) -> Option<BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        let Entering::Create { joined } = &self.entering else { return None };
        joined.iter().find(|(joined, _)| *joined == kind).map(|(_, fd)| fd.as_fd())
    }

    /// `CLONE_NEW…` flags of the new namespaces that the process is created in. Some have their own time: a cgroup namespace
    /// takes the cgroup of its maker for its root, and the clocks of a time namespace are set before anything lives in it.
    pub fn clone_flags(&self) -> u64 {
        let later = |kind| match kind {
            NamespaceKind::Cgroup | NamespaceKind::Time => true,
            NamespaceKind::Network => self.own_network.is_some(),
            _ => false,
        };
        let made = NamespaceKind::ALL.into_iter().filter(|kind| self.config.linux.makes(*kind));
        made.filter(|kind| !later(*kind)).map(NamespaceKind::clone_flag).sum()
    }

    /// Whether the init process finds its new time namespace made: where it is created in a user namespace that is joined, it could not
    /// set its clocks any more.
    pub fn clones_time_namespace(&self) -> bool {
        let makes = self.config.linux.makes(NamespaceKind::Time);
        makes && self.joined(NamespaceKind::User).is_some() && !self.shares_processes()
    }

    /// The state as a hook in the container reads it: with the number that the init process has there.
    pub fn state_inside(&self, status: Status) -> State {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        State::new(self.id, status, Some(pid), self.bundle, &self.config.annotations)
    }
}
