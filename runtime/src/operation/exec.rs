//! `exec`: a further process in a running container.

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use crate::config::{Capabilities, Hooks, Process, User};
use crate::container::{Container, Status};
use crate::error::{Context, Error, Result};
use crate::foreground::Foreground;
use crate::launch::{Joined, LaunchRequest, join};
use crate::number::plain;
use crate::protect;

/// What is changed about the process of the configuration.
#[derive(Debug, Default)]
pub struct Changes {
    /// A whole process document instead.
    pub process: Option<PathBuf>,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// `UID` or `UID:GID`.
    pub user: Option<String>,
    /// Further groups.
    pub additional_gids: Vec<u32>,
    /// Working directory.
    pub cwd: Option<PathBuf>,
    /// Further environment.
    pub env: Vec<String>,
    /// Whether it gets a terminal.
    pub tty: bool,
    /// Further capabilities.
    pub cap: Vec<String>,
    /// Whether it can gain no privileges.
    pub no_new_privs: bool,
    /// SELinux label.
    pub process_label: Option<String>,
    /// AppArmor profile.
    pub apparmor: Option<String>,
}

/// Starts a process in a container, and returns its exit code; detached, 0 as soon as it runs.
///
/// # Errors
/// When the container does not run, is paused and that is not ignored, or a step fails.
pub fn exec(request: &LaunchRequest, changes: &Changes, ignore_paused: bool) -> Result<u8> {
    protect::seal()?;
    let container = Container::find(&request.state_root, &request.id)?;
    match container.status() {
        Status::Created | Status::Running => {}
        Status::Paused if ignore_paused => {}
        Status::Paused => return Err(Error::new("the container is paused; --ignore-paused waits until it is resumed")),
        other => return Err(Error::new(format!("container `{}` is {}, not running", request.id, other.name()))),
    }
    let mut config = container.config()?;
    // What concerns the host alone: others in the container may look into the new process.
    config.hooks = Hooks::default();
    config.mounts.clear();
    let process = changes.apply(config.process.as_ref())?;
    if container.directory.start_socket().exists() && !config.linux.has_user_namespace() && may_look(&process) {
        return Err(Error::new(format!(
            "container `{}` is not started, and a process with CAP_SYS_PTRACE could look into the runtime that waits in it: \
             start it first",
            request.id
        )));
    }
    request.check_terminal(process.terminal, request.detach)?;
    let foreground = if request.detach { None } else { Some(Foreground::prepare()?) };
    let Joined { child, console } = join(request, &container, &config, &process)?;
    let Some(foreground) = foreground else { return Ok(0) };
    foreground.wait(child.pidfd.as_fd(), console.as_ref().map(OwnedFd::as_fd))
}

/// Whether the process can come to look into others that it shares a user namespace with.
fn may_look(process: &Process) -> bool {
    let Some(sets) = &process.capabilities else { return false };
    let sets = [&sets.bounding, &sets.permitted, &sets.effective, &sets.inheritable, &sets.ambient];
    sets.into_iter().flatten().any(|capability| capability == "CAP_SYS_PTRACE")
}

impl Changes {
    fn apply(&self, configured: Option<&Process>) -> Result<Process> {
        if let Some(path) = &self.process {
            let text = std::fs::read_to_string(path).doing(|| format!("read `{}`", path.display()))?;
            return Process::parse(&text).doing(|| format!("`{}`", path.display()));
        }
        let mut process = configured.cloned().ok_or_else(|| Error::new("process: the configuration has none"))?;
        if self.args.is_empty() {
            return Err(Error::new("exec needs a program, or --process"));
        }
        process.args.clone_from(&self.args);
        process.terminal = self.tty;
        process.console_size = None;
        process.env.extend(self.env.iter().cloned());
        process.user.additional_gids.extend(&self.additional_gids);
        process.no_new_privileges |= self.no_new_privs;
        if let Some(user) = &self.user {
            set_user(&mut process.user, user)?;
        }
        if let Some(cwd) = &self.cwd {
            absolute(cwd)?;
            process.cwd.clone_from(cwd);
        }
        for (label, given) in
            [(&mut process.selinux_label, &self.process_label), (&mut process.apparmor_profile, &self.apparmor)]
        {
            if let Some(given) = given {
                label.clone_from(given);
            }
        }
        add_capabilities(process.capabilities.get_or_insert_with(Capabilities::default), &self.cap);
        Ok(process)
    }
}

fn absolute(cwd: &Path) -> Result<()> {
    if cwd.is_absolute() { Ok(()) } else { Err(Error::new("--cwd: must be an absolute path")) }
}

/// Numbers alone: a name would have to be looked up in files of the image.
fn set_user(user: &mut User, given: &str) -> Result<()> {
    let number = |text: &str| {
        let number = plain::<u32>(text).filter(|number| *number != u32::MAX);
        number.ok_or_else(|| {
            Error::new(format!(
                "--user: `{given}` is not UID or UID:GID, as decimal numbers without sign or leading zeros"
            ))
        })
    };
    let (uid, gid) = given.split_once(':').map_or((given, None), |(uid, gid)| (uid, Some(gid)));
    user.uid = number(uid)?;
    if let Some(gid) = gid {
        user.gid = number(gid)?;
    }
    Ok(())
}

/// Never the inheritable set: what the program executes should not have them by chance. So those alone can be ambient that the
/// configuration has there.
fn add_capabilities(capabilities: &mut Capabilities, added: &[String]) {
    let inheritable = added.iter().filter(|name| capabilities.inheritable.contains(name));
    capabilities.ambient.extend(inheritable.cloned());
    for set in [&mut capabilities.bounding, &mut capabilities.effective, &mut capabilities.permitted] {
        set.extend(added.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_numbers() {
        let mut user = User::default();
        set_user(&mut user, "7:8").unwrap();
        assert_eq!((user.uid, user.gid), (7, 8));
        set_user(&mut user, "9").unwrap();
        assert_eq!((user.uid, user.gid), (9, 8));
        for given in ["", "root", "1:", ":1", "-1", "4294967296", "4294967295", "1:2:3", "1 ", "+1", "1:+1", "01", " 1"]
        {
            assert!(set_user(&mut User::default(), given).is_err(), "{given}");
        }
    }
}
