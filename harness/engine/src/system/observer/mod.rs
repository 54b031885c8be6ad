//! The observer: what the kernel says about a process, seen from the host.

pub mod limits;

pub(crate) mod inside;
mod namespaces;

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use nix::unistd::Pid;
use plimsoll_fixtures::probe::Rlimit;
use serde::Serialize;

pub use namespaces::{Namespace, own_namespace};

pub use crate::system::proc::mountinfo::{self, Mount};
pub use crate::system::proc::stat::{self, Stat};
pub use crate::system::proc::status::{self, Status};

use crate::system::cgroup::{self, Membership};
use crate::system::descriptors::wait_readable;
use crate::system::proc::files::{about, malformed};
use crate::system::proc::proc_dir::ProcDir;
use crate::system::sys::{self, SchedAttr};

/// One snapshot of a process. Paths are as the process has them, numbers as the host has them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Observation {
    /// Process id, name, start time.
    pub stat: Stat,
    /// Identity, capabilities, signals.
    pub status: Status,
    /// Limits by name (`RLIMIT_NOFILE`); `u64::MAX` is no limit.
    pub limits: BTreeMap<String, Rlimit>,
    /// How willingly the kernel ends it when memory is short, -1000 to 1000.
    pub oom_score_adj: i32,
    /// Ranges of users: inside, outside (as our user namespace has them), count.
    pub uid_map: Vec<[u64; 3]>,
    /// Ranges of groups, likewise.
    pub gid_map: Vec<[u64; 3]>,
    /// Offsets (seconds, nanoseconds) by clock; `None` on a kernel without time namespaces.
    pub timens_offsets: Option<BTreeMap<String, (i64, i64)>>,
    /// Mounts below its root directory, in the order of the kernel's list.
    pub mounts: Vec<Mount>,
    /// Namespaces by their name in `/proc/PID/ns`.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Control groups, one for each hierarchy that the kernel knows.
    pub cgroups: Vec<Membership>,
    /// Label of the Linux security module; `None` without one.
    pub lsm_label: Option<String>,
    /// Current directory.
    pub cwd: String,
    /// Root directory, as we see it.
    pub root: String,
    /// The file that is executed.
    pub exe: String,
    /// Environment as `NAME=value`, as it was at exec.
    pub environ: Vec<String>,
    /// Arguments with `argv[0]`.
    pub args: Vec<String>,
    /// Open descriptors and where they lead.
    pub fds: BTreeMap<i32, String>,
    /// Scheduling attributes of the main thread.
    pub sched: SchedAttr,
    /// Class and level of input and output, as in ioprio_get(2).
    pub ioprio: (i64, i64),
    /// Execution domain, as in personality(2).
    pub personality: u32,
}

/// How long a process may take to end once it has begun to.
const ENDING: Duration = Duration::from_secs(1);

fn ended(pid: Pid) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("process {pid} has ended"))
}

impl Observation {
    /// Looks at a process now.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when it is not there or has ended and waits to be reaped; else what the kernel says,
    /// with the name of the file.
    pub fn of(pid: Pid) -> io::Result<Self> {
        Self::read(pid).or_else(|why| {
            // A process that is ending loses what there is to be seen of it, one thing after the other.
            let pidfd = sys::pidfd_open(pid).map_err(|why| about(format!("process {pid}"), &why))?;
            if wait_readable(&[&pidfd], Instant::now() + ENDING)? { Err(ended(pid)) } else { Err(why) }
        })
    }

    fn read(pid: Pid) -> io::Result<Self> {
        let process = ProcDir::of(pid)?;
        let stat = Stat::parse(&process.text("stat")?)?;
        if stat.has_ended() {
            return Err(ended(pid));
        }
        Ok(Self {
            stat,
            status: Status::parse(&process.text("status")?)?,
            limits: limits::parse(&process.text("limits")?)?,
            oom_score_adj: number(&process.text("oom_score_adj")?)?,
            uid_map: id_map(process.text_if_there("uid_map")?)?,
            gid_map: id_map(process.text_if_there("gid_map")?)?,
            timens_offsets: process.text_if_there("timens_offsets")?.map(|text| time_offsets(&text)).transpose()?,
            mounts: mountinfo::parse(&process.text("mountinfo")?)?,
            namespaces: namespaces::of(&process)?,
            cgroups: cgroup::memberships(&process.text("cgroup")?)?,
            lsm_label: process.text_if_there("attr/current")?.and_then(|text| label(&text)),
            cwd: process.link("cwd")?,
            root: process.link("root")?,
            exe: process.link("exe")?,
            environ: process.words("environ")?,
            args: process.words("cmdline")?,
            fds: descriptors(&process)?,
            sched: sys::sched_getattr(pid)?,
            ioprio: split_ioprio(sys::ioprio_get(pid)?),
            personality: u32::from_str_radix(process.text("personality")?.trim(), 16).map_err(malformed)?,
        })
    }

    /// The mount that a path leads to when it is a mount point; see [`mountinfo::mount_at`].
    #[must_use]
    pub fn mount_at(&self, path: &str) -> Option<&Mount> {
        mountinfo::mount_at(&self.mounts, path)
    }

    /// The inode number of a namespace by its name in `/proc/PID/ns`.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<u64> {
        self.namespaces.get(name).map(|namespace| namespace.inode)
    }

    /// The user namespace that owns a namespace of the process; `None` when it is outside of ours.
    #[must_use]
    pub fn namespace_owner(&self, name: &str) -> Option<u64> {
        self.namespaces.get(name)?.owner
    }

    /// The namespace above one of the process: `pid` and `user` form trees.
    #[must_use]
    pub fn namespace_parent(&self, name: &str) -> Option<u64> {
        self.namespaces.get(name)?.parent
    }

    /// The control group that governs a controller, `memory` or `name=systemd` for example: on cgroup v1 that of its
    /// hierarchy, else the one of cgroup v2 if the controller is enabled in it.
    #[must_use]
    pub fn cgroup(&self, controller: &str) -> Option<&Membership> {
        cgroup::governing(&self.cgroups, controller)
    }
}

/// The open descriptors of this process and where they lead, without those used for listing.
pub(crate) fn own_descriptors() -> io::Result<BTreeMap<i32, String>> {
    let process = ProcDir::of(nix::unistd::getpid())?;
    let mut found = descriptors(&process)?;
    found.remove(&process.descriptor());
    Ok(found)
}

fn descriptors(process: &ProcDir) -> io::Result<BTreeMap<i32, String>> {
    process.links("fd")?.into_iter().map(|(name, target)| Ok((number(&name)?, target))).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> io::Result<T> {
    text.trim().parse().map_err(|_| malformed(text.trim()))
}

fn id_map(text: Option<String>) -> io::Result<Vec<[u64; 3]>> {
    // A kernel without user namespaces maps each id to itself, and has no file to say so.
    let text = text.unwrap_or_else(|| format!("0 0 {}", u32::MAX));
    let row = |line: &str| line.split_whitespace().map(number).collect::<io::Result<Vec<u64>>>();
    text.lines().map(|line| row(line)?.try_into().map_err(|_| malformed(line))).collect()
}

fn time_offsets(text: &str) -> io::Result<BTreeMap<String, (i64, i64)>> {
    let row = |line: &str| -> io::Result<(String, (i64, i64))> {
        let mut columns = line.split_whitespace();
        let mut next = || columns.next().ok_or_else(|| malformed(line));
        Ok((next()?.to_owned(), (number(next()?)?, number(next()?)?)))
    };
    text.lines().map(row).collect()
}

fn label(text: &str) -> Option<String> {
    let text = text.trim_end_matches(['\0', '\n']);
    (!text.is_empty()).then(|| text.to_owned())
}

fn split_ioprio(value: i64) -> (i64, i64) {
    (value >> 13, value & 0x1fff)
}

#[cfg(test)]
mod tests;
