//! `record.json`: what cannot be derived from the kernel later. Written under another name and renamed, so that a
//! reader finds a whole one or none.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags};
use serde::{Deserialize, Serialize};

use super::Directory;
use crate::error::{Context, Error, Result};

/// The version of the format that this runtime writes, and the only one that it reads.
const FORMAT: u32 = 1;

/// What is on disk of a created container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// The bundle: an absolute path.
    pub bundle: PathBuf,
    /// The container's init process, in the pid namespace of the runtime.
    pub pid: i32,
    /// When it started, in clock ticks after boot: with it, a number that was used again is not taken for it.
    pub start_time: u64,
    /// Seconds since 1970 at which the container was created.
    pub created: u64,
    /// Whether `--systemd-cgroup` was given at `create`.
    pub systemd_cgroup: bool,
    /// Whether `--no-new-keyring` was given at `create`.
    #[serde(default)]
    pub keeps_keyring: bool,
    /// The user who created the container, as a number.
    pub owner: u32,
}

impl Record {
    /// The record of a container whose init process is `pid`, and of the options that it was created with.
    ///
    /// # Errors
    /// When that process is gone already.
    pub fn new(bundle: &Path, pid: i32, (systemd_cgroup, keeps_keyring): (bool, bool)) -> Result<Self> {
        let start_time = start_time(pid).doing(|| format!("read the start time of process {pid}"))?;
        let start_time = start_time.ok_or_else(|| Error::new(format!("process {pid} is gone")))?;
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Ok(Self {
            format: FORMAT,
            bundle: bundle.to_owned(),
            pid,
            start_time,
            created: since_1970.map_or(0, |time| time.as_secs()),
            systemd_cgroup,
            keeps_keyring,
            owner: rustix::process::getuid().as_raw(),
        })
    }

    /// Writes the record. It counts from [`Directory::publish`] on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn stage(&self, directory: &Directory) -> Result<()> {
        directory.stage(&directory.record(), &serde_json::to_vec(self).doing(|| "write the record".into())?)
    }

    /// Makes the record visible under its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, directory: &Directory) -> Result<()> {
        self.stage(directory)?;
        directory.publish(&directory.record())
    }

    /// Reads the record, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, or is of another format.
    pub fn load(directory: &Directory) -> Result<Option<Self>> {
        let path = directory.record();
        let doing = || format!("read `{}`", path.display());
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.doing(doing)?,
        };
        let record: Self = serde_json::from_slice(&text).doing(doing)?;
        if record.format != FORMAT {
            return Err(Error::new(format!("`{}` has format {}, not {FORMAT}", path.display(), record.format)));
        }
        Ok(Some(record))
    }

    /// A descriptor for the recorded process, if that very process is still there.
    ///
    /// # Errors
    /// As pidfd_open(2), other than that the process is gone.
    pub fn pidfd(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(None) };
        let pidfd = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            pidfd => pidfd?,
        };
        // Looked at after the descriptor was opened: if the time is right now, the descriptor is of the right one.
        Ok((start_time(self.pid)? == Some(self.start_time)).then_some(pidfd))
    }
}

/// When process `pid` started, in clock ticks after boot; nothing when it has ended, reaped or not. proc_pid_stat(5).
///
/// # Errors
/// When `/proc` cannot be read.
pub fn start_time(pid: i32) -> io::Result<Option<u64>> {
    let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH) => {
            return Ok(None);
        }
        stat => stat?,
    };
    // The name of the program is in brackets and may hold brackets and blanks; what follows the last one is regular.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    match fields.as_slice() {
        ["Z" | "X" | "x", ..] => Ok(None),
        fields => Ok(fields.get(19).and_then(|ticks| ticks.parse().ok())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_names_this_process() {
        let root = tempfile::tempdir().unwrap();
        let (directory, _lock) = Directory::make(root.path(), "one").unwrap();
        assert!(Record::load(&directory).unwrap().is_none());
        let pid = i32::try_from(std::process::id()).unwrap();
        Record::new(Path::new("/bundle"), pid, (false, false)).unwrap().save(&directory).unwrap();
        let record = Record::load(&directory).unwrap().unwrap();
        assert_eq!(record.bundle, Path::new("/bundle"));
        assert!(record.pidfd().unwrap().is_some());
        let another = Record { start_time: record.start_time + 1, ..record };
        assert!(another.pidfd().unwrap().is_none(), "a number that was used again is another process");
    }
}
