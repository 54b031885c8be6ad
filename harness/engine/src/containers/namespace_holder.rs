//! Namespaces for containers to join by path, each held by a process that does nothing else.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, pause, pipe2};

use crate::containers::lab::Lab;
pub use crate::containers::users::{FIRST_ID, IDS};
use crate::runtime::judgement::{StepResult, Stop};
use crate::system::observer::Observation;
use crate::system::process::wait_readable;
use crate::system::sys;

/// The types of the specification, with the kernel's name in `/proc/PID/ns` and its `CLONE_NEW*` flag.
const KINDS: [(&str, &str, i32); 8] = [
    ("pid", "pid", libc::CLONE_NEWPID),
    ("network", "net", libc::CLONE_NEWNET),
    ("mount", "mnt", libc::CLONE_NEWNS),
    ("ipc", "ipc", libc::CLONE_NEWIPC),
    ("uts", "uts", libc::CLONE_NEWUTS),
    ("user", "user", libc::CLONE_NEWUSER),
    ("cgroup", "cgroup", libc::CLONE_NEWCGROUP),
    ("time", "time", 0x80),
];

/// The types of the specification, in its order.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|&(kind, ..)| kind)
}

/// The name in `/proc/PID/ns` of a type of the specification.
///
/// # Panics
/// When the specification has no such type.
#[must_use]
pub fn kernel_name(kind: &str) -> &'static str {
    row(kind).1
}

fn row(kind: &str) -> &'static (&'static str, &'static str, i32) {
    KINDS.iter().find(|row| row.0 == kind).unwrap_or_else(|| panic!("no namespace type {kind}"))
}

/// A process in a new namespace. It ends when this is dropped.
#[derive(Debug)]
pub struct NamespaceHolder {
    /// The process, as this process sees it.
    pub pid: Pid,
    pidfd: OwnedFd,
}

impl Lab<'_> {
    /// A new namespace of a type of the specification. A user namespace maps [`IDS`] ids to those from [`FIRST_ID`].
    ///
    /// # Errors
    /// [`Stop::Error`] when the kernel refuses.
    pub fn hold_namespace(&self, kind: &str) -> StepResult<NamespaceHolder> {
        NamespaceHolder::new(row(kind).2).map_err(Stop::error(&format!("make a {kind} namespace")))
    }
}

impl NamespaceHolder {
    /// A process that unshares has children in the new namespace, and is itself not in it where it is one of processes
    /// or clocks: so it is a child of such a process that stays.
    fn new(flag: i32) -> io::Result<Self> {
        let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
        match sys::fork()? {
            ForkResult::Child => sys::exit_now(i32::from(unshare_and_fork(flag, write).is_err())),
            ForkResult::Parent { child } => {
                drop(write);
                let mut pid = [0; 4];
                let told = File::from(read).read_exact(&mut pid);
                waitpid(child, None)?;
                told?;
                let pid = Pid::from_raw(i32::from_ne_bytes(pid));
                let holder = Self { pid, pidfd: sys::pidfd_open(pid)? };
                if flag == libc::CLONE_NEWUSER {
                    holder.map_ids()?;
                }
                Ok(holder)
            }
        }
    }

    fn map_ids(&self) -> io::Result<()> {
        for map in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{}/{map}", self.pid), format!("0 {FIRST_ID} {IDS}"))?;
        }
        Ok(())
    }

    /// The path to join its namespace of this type by.
    #[must_use]
    pub fn path(&self, kind: &str) -> String {
        path(self.pid, kind)
    }

    /// What the host sees of it now.
    ///
    /// # Errors
    /// [`Stop::Broken`] when something has ended it.
    pub fn observe(&self) -> StepResult<Observation> {
        if wait_readable(&[&self.pidfd], Instant::now())? {
            return Err(Stop::broken("a process of the harness in the joined namespace", "alive", "it was ended"));
        }
        Observation::of(self.pid).map_err(Stop::error("observe the holder of a namespace"))
    }
}

/// The path of a namespace of a process, by its type in the specification.
#[must_use]
pub fn path(pid: Pid, kind: &str) -> String {
    format!("/proc/{pid}/ns/{}", kernel_name(kind))
}

fn unshare_and_fork(flag: i32, told: OwnedFd) -> io::Result<()> {
    unshare(CloneFlags::from_bits_retain(flag))?;
    if flag == libc::CLONE_NEWNS {
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    }
    match sys::fork()? {
        ForkResult::Parent { child } => File::from(told).write_all(&child.as_raw().to_ne_bytes()),
        ForkResult::Child => loop {
            pause();
        },
    }
}

impl Drop for NamespaceHolder {
    fn drop(&mut self) {
        // It may have been ended already; either way it is our orphan to reap.
        match (sys::pidfd_signal(self.pidfd.as_fd(), libc::SIGKILL), waitpid(self.pid, None)) {
            (Ok(()) | Err(_), Ok(_) | Err(_)) => {}
        }
    }
}
