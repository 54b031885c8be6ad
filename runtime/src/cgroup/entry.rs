//! How a child comes into its cgroups without a wait.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Context, Result};

/// Descriptors that lead a child into its cgroups. All are closed on exec.
#[derive(Debug, Default)]
pub struct Entry {
    directory: Option<OwnedFd>,
    tasks: Vec<(PathBuf, File)>,
}

impl Entry {
    /// Opens the version 2 cgroup that the child is created in, and the `tasks` of each version 1 cgroup that it joins.
    pub(super) fn open<'a>(unified: Option<&Path>, legacy: impl Iterator<Item = &'a Path>) -> Result<Self> {
        let directory = unified.map(open_directory).transpose()?;
        let tasks = legacy.map(|dir| open_tasks(&dir.join("tasks"))).collect::<Result<_>>()?;
        Ok(Self { directory, tasks })
    }

    /// The version 2 cgroup, for CLONE_INTO_CGROUP of clone3(2); absent on a host of version 1 only.
    pub fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.directory.as_ref().map(AsFd::as_fd)
    }

    /// Joins the version 1 cgroups. Called by the child, first of all and while it has one thread: `0` in `tasks` moves
    /// the thread that writes it, which, unlike a pid in `cgroup.procs`, needs no lock over all thread groups.
    ///
    /// # Errors
    /// When the kernel refuses the move, such as for a cpuset without processors.
    pub fn join(mut self) -> Result<()> {
        for (path, file) in &mut self.tasks {
            file.write_all(b"0").doing(|| format!("join the cgroup `{}`", path.display()))?;
        }
        Ok(())
    }
}

/// Opens a version 2 cgroup for CLONE_INTO_CGROUP.
pub(super) fn open_directory(dir: &Path) -> Result<OwnedFd> {
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(dir);
    Ok(opened.doing(|| format!("open the cgroup `{}`", dir.display()))?.into())
}

fn open_tasks(path: &Path) -> Result<(PathBuf, File)> {
    let opened = OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW).open(path);
    Ok((path.to_owned(), opened.doing(|| format!("open `{}`", path.display()))?))
}
