//! A control group of the harness's own, for containers to stand in or below.

use std::fs;
use std::path::PathBuf;

use plimsoll_engine::cgroup;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_foreign::read;

/// The group, in each hierarchy.
pub(super) struct Pod {
    path: String,
    dirs: Vec<PathBuf>,
}

impl Pod {
    /// Makes it, for this check.
    ///
    /// # Errors
    /// [`Stop::Error`] when the kernel refuses.
    pub fn make(lab: &Lab<'_>) -> StepResult<Self> {
        let path = format!("/plimsoll-{}-pod", lab.tag);
        let mut dirs = Vec::new();
        for hierarchy in cgroup::hierarchies()? {
            let dir = hierarchy.mount.join(&path[1..]);
            fs::create_dir(&dir).map_err(Stop::error("make a control group"))?;
            // A new cpuset of version 1 takes no process.
            for file in
                ["cpuset.cpus", "cpuset.mems"].iter().filter(|_| hierarchy.controllers.contains(&"cpuset".into()))
            {
                fs::write(dir.join(file), read::kernel_bytes(hierarchy.mount.join(file))?)?;
            }
            dirs.push(dir);
        }
        Ok(Self { path, dirs })
    }

    /// The path of a group in it.
    pub fn within(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// Its own path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Writes a file of it, in whichever hierarchy has that.
    ///
    /// # Errors
    /// [`Stop::Error`] when none has, or the kernel refuses.
    pub fn set(&self, file: &str, value: &str) -> StepResult {
        let at = self.dirs.iter().map(|dir| dir.join(file)).find(|path| path.exists());
        let at = at.ok_or_else(|| Stop::Error(format!("no control group has {file}")))?;
        fs::write(at, value).map_err(Stop::error("write to a control group"))
    }

    /// Reads a file of it, in whichever hierarchy has that.
    ///
    /// # Errors
    /// [`Stop::Error`] when none has.
    pub fn get(&self, file: &str) -> StepResult<String> {
        let at = self.dirs.iter().map(|dir| dir.join(file)).find(|path| path.exists());
        let at = at.ok_or_else(|| Stop::Error(format!("no control group has {file}")))?;
        Ok(read::kernel(at)?.trim().to_owned())
    }

    /// Puts a process into it, in each hierarchy.
    ///
    /// # Errors
    /// [`Stop::Error`] when the kernel refuses.
    pub fn take_in(&self, pid: nix::unistd::Pid) -> StepResult {
        let join = |dir: &PathBuf| fs::write(dir.join("cgroup.procs"), pid.to_string());
        self.dirs.iter().try_for_each(join).map_err(Stop::error("put a process into a control group"))
    }

    /// Takes it away, with what is in it and has no process.
    ///
    /// # Errors
    /// [`Stop::Error`] when a process is left in it.
    pub fn remove(self) -> StepResult {
        Ok(self.dirs.iter().try_for_each(|dir| cgroup::remove_tree(dir))?)
    }
}
