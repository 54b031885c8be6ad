//! What was made so far, so that a failed start leaves nothing.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use rustix::process::{Signal, WaitId, WaitIdOptions};

use crate::cgroup::Cgroup;
use crate::config::{Config, HookKind};
use crate::container::{Container, Directory, State, Status};
use crate::error::{Context, Result};
use crate::{hook, log};

/// Things to remove, in the reverse order of their making.
pub struct Undo {
    directory: Option<Directory>,
    first_process: Option<OwnedFd>,
    cgroup: Option<Rc<dyn Cgroup>>,
    hooks_ran: bool,
}

impl Undo {
    /// So far there is the container's directory, if one.
    pub fn new(directory: impl Into<Option<Directory>>) -> Self {
        Self { directory: directory.into(), first_process: None, cgroup: None, hooks_ran: false }
    }

    /// There is an init process too, in place of bootstrap if there was one.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn first_process(&mut self, pidfd: &OwnedFd) -> Result<()> {
        self.first_process = Some(pidfd.try_clone().doing(|| "copy a descriptor".into())?);
        Ok(())
    }

    /// There is a cgroup too.
    pub fn cgroup(&mut self, cgroup: Rc<dyn Cgroup>) {
        self.cgroup = Some(cgroup);
    }

    /// Hooks may have run, so those after the container's end have to run too.
    pub fn hooks_ran(&mut self) {
        self.hooks_ran = true;
    }

    /// Removes everything. What cannot be removed is logged: the error that led here is the one to report.
    pub fn run(self, config: &Config, bundle: &Path) {
        if let Some(pidfd) = &self.first_process {
            let killed = rustix::process::pidfd_send_signal(pidfd, Signal::KILL);
            // It may have ended by itself, and been waited for; what counts is that it is gone then.
            let gone =
                killed.and_then(|()| rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED));
            log::debug(&format!("the init process is gone: {gone:?}"));
        }
        let cgroup = self.cgroup.as_ref().filter(|cgroup| cgroup.is_own());
        let freed = cgroup.map_or(Ok(()), |cgroup| cgroup.kill().and_then(|()| cgroup.remove()));
        if let Err(error) = freed {
            log::warn(&error.to_string());
        }
        let Some(directory) = &self.directory else { return };
        let container = Container { directory: directory.clone(), record: None };
        let freed = container.resctrl().and_then(|groups| groups.map_or(Ok(()), |groups| groups.remove()));
        if let Err(error) = freed {
            log::warn(&error.to_string());
        }
        if let Err(error) = directory.remove() {
            log::warn(&error.to_string());
        }
        if self.hooks_ran {
            let state = State::new(&directory.id, Status::Stopped, None, bundle, &config.annotations);
            for error in hook::run_each(&config.hooks, HookKind::Poststop, &state) {
                log::warn(&error.to_string());
            }
        }
    }
}
