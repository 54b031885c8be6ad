//! Whether the owner of a run still lives. Process ids mean nothing in another pid namespace, and a directory or a control group may
//! well be seen from several: so the owner holds a lock on a file on disk, which the kernel drops when it ends, however it ends.
//! Where that file is not to be seen, the name of the run tells its pid namespace.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use nix::unistd::{Pid, geteuid};
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::system::observer::Stat;
use crate::system::proc::files::{if_there, read_text};
use crate::system::proc::stat;
use crate::system::run_id::{INITIAL, RunId, own_pid_namespace};

/// Name of the locked file in the directory of a run, below the tmpfs that the run alone sees there.
const NAME: &str = "lock";

const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// What is known of the owner of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It lives.
    Alive,
    /// It has ended.
    Dead,
    /// Nothing: the text says why, and what to do.
    Unknown(String),
}

/// The lock of a run; it is held as long as this process lives and has not dropped it. Children do not hold it, but
/// for one that shares its descriptors.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Makes the file in the directory of the run, and locks it. Nobody sees it unlocked.
    ///
    /// # Errors
    /// When the file cannot be made. Where the filesystem has no locks, there is none: the name of the run must do.
    pub fn hold(dir: &Path) -> io::Result<Option<Self>> {
        let unfinished = dir.join("lock.new");
        let mut file = OpenOptions::new().write(true).create_new(true).open(&unfinished)?;
        if fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return fs::remove_file(unfinished).map(|()| None);
        }
        file.write_all(read_text(BOOT)?.as_bytes())?;
        fs::rename(unfinished, dir.join(NAME))?;
        Ok(Some(Self { _file: file }))
    }

    /// Removes the file from the directory of a run.
    ///
    /// # Errors
    /// When that fails for another reason than that there is none.
    pub fn remove(dir: &Path) -> io::Result<()> {
        if_there(fs::remove_file(dir.join(NAME))).map(drop)
    }
}

/// Whether the owner of a run lives whose directory is `dir`, if it is there.
///
/// # Errors
/// When something cannot be read.
pub fn of(run: &RunId, dir: &Path) -> io::Result<Liveness> {
    match by_lock(dir)? {
        Some(Liveness::Alive) if is_gone(run)? => Ok(Liveness::Dead),
        Some(liveness) => Ok(liveness),
        None => by_name(run),
    }
}

/// Whether its owner would have its number here, and has ended. Then the lock is held by a helper of it that shares its
/// descriptors ([`crate::sandbox::isolate`]) and is about to end.
fn is_gone(run: &RunId) -> io::Result<bool> {
    Ok(run.namespace() == Some(own_pid_namespace()?) && !run.is_alive()?)
}

fn by_lock(dir: &Path) -> io::Result<Option<Liveness>> {
    let path = dir.join(NAME);
    // Who may write there could put a link or a pipe at its place.
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&path);
    let Some(file) = if_there(opened)? else { return Ok(None) };
    let status = file.metadata()?;
    if !status.is_file() || status.uid() != geteuid().as_raw() {
        return Ok(Some(Liveness::Unknown(format!("{} is not a file of this user: check it", path.display()))));
    }
    if is_locked(&file)? {
        return Ok(Some(Liveness::Alive));
    }
    let mut text = String::new();
    #[expect(clippy::disallowed_methods, reason = "bounded: a boot id is shorter")]
    file.take(64).read_to_string(&mut text)?;
    Ok(Some(if text == read_text(BOOT)? {
        Liveness::Dead
    } else {
        let dir = dir.display();
        Liveness::Unknown(format!("it was made before the last boot or on another machine: remove {dir} by hand"))
    }))
}

fn is_locked(file: &File) -> io::Result<bool> {
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_GETLK(&mut lock))?;
    Ok(lock.l_type != libc::F_UNLCK as libc::c_short)
}

fn by_name(run: &RunId) -> io::Result<Liveness> {
    let own = own_pid_namespace()?;
    let alive = match run.namespace() {
        None => {
            return Ok(Liveness::Unknown(
                "an earlier version made it and did not record its owner: remove it by hand".into(),
            ));
        }
        Some(theirs) if theirs == own => run.is_alive()?,
        // All processes have a number in the first one.
        Some(theirs) if own == INITIAL => lives_elsewhere(run, theirs)?,
        Some(_) => {
            let why = "its owner is in another pid namespace: run `plimsoll clean` there, or outside of all containers";
            return Ok(Liveness::Unknown(why.into()));
        }
    };
    Ok(if alive { Liveness::Alive } else { Liveness::Dead })
}

/// Looks through all processes for the owner of a run, which has its number in another pid namespace.
fn lives_elsewhere(run: &RunId, namespace: u32) -> io::Result<bool> {
    for pid in stat::pids()? {
        if number_inside(pid)? != Some(run.pid()) {
            continue;
        }
        let found = Stat::of(pid)?;
        if found.is_some_and(|stat| run.started_at(stat.start) && !stat.has_ended()) && may_be_in(pid, namespace)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a process is in a pid namespace, or keeps it from us.
fn may_be_in(pid: Pid, namespace: u32) -> io::Result<bool> {
    match fs::read_link(format!("/proc/{pid}/ns/pid")) {
        Err(why) if why.kind() == io::ErrorKind::PermissionDenied => Ok(true),
        link => Ok(if_there(link)?.is_some_and(|link| link.to_string_lossy() == format!("pid:[{namespace}]"))),
    }
}

/// The number of a process in its own pid namespace: the last of those that it has.
fn number_inside(pid: Pid) -> io::Result<Option<i32>> {
    let Some(status) = if_there(read_text(format!("/proc/{pid}/status")))? else { return Ok(None) };
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    Ok(numbers.and_then(|numbers| numbers.split_whitespace().last()?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_tells_of_its_holder() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunId::of_self().unwrap();
        // Without a lock the name decides.
        assert_eq!(of(&run, dir.path()).unwrap(), Liveness::Alive);
        fs::write(dir.path().join(NAME), read_text(BOOT).unwrap()).unwrap();
        assert_eq!(of(&run, dir.path()).unwrap(), Liveness::Dead, "nobody holds it");
        fs::write(dir.path().join(NAME), "another\n").unwrap();
        assert!(matches!(of(&run, dir.path()).unwrap(), Liveness::Unknown(_)));
        Lock::remove(dir.path()).unwrap();
        fs::create_dir(dir.path().join(NAME)).unwrap();
        assert!(matches!(of(&run, dir.path()).unwrap(), Liveness::Unknown(why) if why.contains("not a file")));
    }

    #[test]
    fn names_without_a_namespace_decide_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let old: RunId = "1a2b-ffee".parse().unwrap();
        assert!(matches!(of(&old, dir.path()).unwrap(), Liveness::Unknown(_)));
    }
}
