//! The sandbox of a run: a mount namespace with a private tmpfs, which ends with the process, and names on the host that say which run
//! owns them.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use plimsoll_foreign::read;
use plimsoll_reports::text::printable;

use crate::sandbox::isolate::pid_namespace::PidNamespace;
use crate::system::cgroup::{self, RunGroups};
use crate::system::deadline::scaled;
use crate::system::liveness::Lock;
use crate::system::run_id::RunId;
use crate::system::sys::tell;

/// Which cgroup mounts the runtime is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupView {
    /// Those of the host.
    Host,
    /// Only the v1 controllers, for runtimes that refuse a hybrid host.
    V1,
}

/// The place of a run; dropping it leaves nothing behind.
#[derive(Debug)]
pub struct RunSandbox {
    /// Unique id of the run.
    pub run: RunId,
    /// The private tmpfs.
    pub dir: PathBuf,
    /// The probe, there.
    pub probe: PathBuf,
    /// The control groups of the run, once made.
    groups: Option<Arc<RunGroups>>,
    /// The top of a hierarchy of version 2 that the runtime is not shown.
    hidden: Option<OwnedFd>,
    /// Held until this process ends, or has cleaned up: so `plimsoll clean` knows that the run lives.
    lock: Option<Lock>,
    /// The pid namespace of the run, where the whole of it is isolated.
    pid_namespace: Option<PidNamespace>,
}

/// The most that a run may write: a runtime that fills its state directory affects no other program.
const TMPFS: &str = "mode=755,size=1g";

impl RunSandbox {
    /// Sets this process (which must have a single thread) apart and makes the place.
    ///
    /// # Errors
    /// When the temporary directory is not writable or the kernel refuses; the text says which step.
    pub fn set_up(view: CgroupView) -> io::Result<Self> {
        let run = RunId::of_self()?;
        let dir = temporary().join(format!("plimsoll-{run}"));
        step("isolate this process (unshare a mount namespace)", unshare(CloneFlags::CLONE_NEWNS).map_err(Into::into))?;
        let slave = MsFlags::MS_REC | MsFlags::MS_SLAVE;
        step("keep mounts private", mount(None::<&str>, "/", None::<&str>, slave, None::<&str>).map_err(Into::into))?;
        step(&format!("make {}", dir.display()), DirBuilder::new().mode(0o755).create(&dir))?;
        let mut place =
            Self { run, probe: dir.join("probe"), dir, groups: None, hidden: None, lock: None, pid_namespace: None };
        // Before a tmpfs hides it from this process: others see the directory on disk, and the lock in it.
        place.lock = step("lock the directory of the run", Lock::hold(&place.dir))?;
        let mounted = mount(Some("plimsoll"), &place.dir, Some("tmpfs"), MsFlags::empty(), Some(TMPFS));
        step(&format!("mount a tmpfs at {}", place.dir.display()), mounted.map_err(Into::into))?;
        step("copy the probe", copy_self(&place.probe))?;
        if view == CgroupView::V1 {
            place.hidden = step("open the hierarchy of cgroup v2", open_v2())?;
            step("show the runtime cgroup v1 only", cgroup::show_v1_only())?;
        }
        set_child_subreaper(true)?;
        Ok(place)
    }

    /// Lets all processes around this one end when the place is left.
    #[must_use]
    pub fn with_pid_namespace(mut self, pid_namespace: PidNamespace) -> Self {
        self.pid_namespace = Some(pid_namespace);
        self
    }

    /// Makes the control groups of the run for its checks.
    ///
    /// # Errors
    /// When this host lets nobody make some of them; the text says which.
    pub fn make_groups(&mut self) -> io::Result<Arc<RunGroups>> {
        let groups = Arc::new(RunGroups::make(&self.run.name(), self.hidden.take())?);
        self.groups = Some(Arc::clone(&groups));
        Ok(groups)
    }
}

/// The top of the hierarchy of version 2 that is mounted here.
fn open_v2() -> io::Result<Option<OwnedFd>> {
    let found = cgroup::hierarchies()?.into_iter().find(|hierarchy| hierarchy.v2);
    found.map(|hierarchy| Ok(File::open(hierarchy.mount)?.into())).transpose()
}

/// The temporary directory by its real path: the kernel's list of mounts names that, and so may a runtime that resolves links. One
/// that is not there is told of when it is needed.
pub(crate) fn temporary() -> PathBuf {
    let named = std::env::temp_dir();
    fs::canonicalize(&named).unwrap_or(named)
}

fn step<T>(doing: &str, done: io::Result<T>) -> io::Result<T> {
    done.map_err(|why| io::Error::new(why.kind(), format!("cannot {doing}: {why}")))
}

fn copy_self(to: &Path) -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "this program itself")]
    fs::copy("/proc/self/exe", to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))
}

impl Drop for RunSandbox {
    fn drop(&mut self) {
        drop(self.pid_namespace.take());
        // Each step is tried whatever became of the others; `plimsoll clean` finds what is left all the same.
        let of_checks = || self.groups.as_ref().map_or(Ok(()), |groups| groups.remove());
        let steps = [reap_all(), of_checks(), remove_cgroups(&self.run), leave(&self.dir)];
        for why in steps.into_iter().filter_map(Result::err) {
            let why = why.to_string();
            tell(&format!(
                "plimsoll: cannot clean up after the run: {}; `plimsoll clean` tries again",
                printable(&why)
            ));
        }
    }
}

fn leave(dir: &Path) -> io::Result<()> {
    match umount2(dir, MntFlags::MNT_DETACH) {
        // Nothing was mounted yet.
        Ok(()) | Err(Errno::EINVAL) => {}
        Err(why) => return Err(why.into()),
    }
    Lock::remove(dir)?;
    fs::remove_dir(dir)
}

/// Waits for the rest of the processes: this process is their subreaper, and they were all told to die.
fn reap_all() -> io::Result<()> {
    let deadline = Instant::now() + scaled(Duration::from_secs(10));
    loop {
        match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Err(Errno::ECHILD) => return Ok(()),
            Ok(WaitStatus::StillAlive) if Instant::now() < deadline => wait_for_a_child()?,
            Ok(WaitStatus::StillAlive) => return Err(io::Error::other("a process of the run cannot be killed")),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(why) => return Err(why.into()),
        }
    }
}

/// Waits on the pidfd of one of our children.
fn wait_for_a_child() -> io::Result<()> {
    let pid = std::process::id();
    let children = read::kernel(format!("/proc/{pid}/task/{pid}/children"))?;
    let Some(pid) = children.split_whitespace().next().and_then(|pid| pid.parse().ok()) else { return Ok(()) };
    let Ok(pidfd) = crate::system::sys::pidfd_open(nix::unistd::Pid::from_raw(pid)) else { return Ok(()) };
    crate::system::process::wait_readable(&[pidfd], Instant::now() + Duration::from_secs(1)).map(drop)
}

fn remove_cgroups(run: &RunId) -> io::Result<()> {
    cgroup::find_named(&run.name())?.iter().filter(|dir| is_of(run, dir)).try_for_each(|dir| cgroup::remove_tree(dir))
}

/// Whether a directory has exactly the name of the run, and not that of one whose id begins alike.
fn is_of(run: &RunId, dir: &Path) -> bool {
    dir.file_name().is_some_and(|name| name.to_string_lossy() == run.name())
}
