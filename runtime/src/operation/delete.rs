//! `delete`: what `create` made is removed.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::process::Signal;

use crate::cgroup::{self, Cgroup};
use crate::config::{Config, HookKind};
use crate::container::{Container, Directory, State, Status};
use crate::error::{Context, Error, Result};
use crate::{hook, log};

/// Deletes a stopped container, or with `force` any container: its processes are killed first. With `force` a container
/// that does not exist counts as deleted.
///
/// # Errors
/// When the container is not stopped, or something cannot be removed.
pub fn delete(root: &Path, id: &str, force: bool) -> Result<()> {
    let directory = Directory::open(root, id);
    let lock = directory.and_then(|directory| directory.lock());
    let lock = match lock {
        Err(error) if force && !root.join(id).exists() => {
            log::debug(&error.to_string());
            return Ok(());
        }
        lock => lock?,
    };
    let container = Container::find(root, id)?;
    let status = container.status();
    // The lock is ours, so no `create` is at work: without a record it was killed on the way.
    if !matches!(status, Status::Stopped | Status::Creating) && !force {
        return Err(Error::new(format!("container `{id}` is {}, not stopped; --force kills it", status.name())));
    }
    destroy(&container)?;
    // What follows may take time, and the id is free.
    drop(lock);
    Ok(())
}

/// Kills what is left of a container, removes everything that was made for it, and runs the poststop hooks.
///
/// # Errors
/// When something cannot be killed or removed; the container can be deleted again then.
pub fn destroy(container: &Container) -> Result<()> {
    let config = match container.config() {
        Err(error) if error.errno() == Some(libc::ENOENT) => {
            // A runtime was killed before it copied the configuration, or after it removed it.
            log::debug(&error.to_string());
            return remove(container);
        }
        config => config?,
    };
    remove(container)?;
    poststop(container, &config);
    Ok(())
}

/// As [`destroy`], by who has made the container and still holds what would have to be read.
///
/// # Errors
/// As [`destroy`].
pub fn destroy_own(container: &Container, config: &Config, cgroup: &dyn Cgroup) -> Result<()> {
    kill(container)?;
    free(container, Some(cgroup))?;
    poststop(container, config);
    Ok(())
}

/// After a failed start: the container is stopped and destroyed, and the error that led here is the one to report.
pub fn destroy_failed(container: &Container, config: &Config) {
    if let Err(error) = remove(container) {
        log::warn(&error.to_string());
    }
    poststop(container, config);
}

/// Kills what is left and removes everything but the configuration's own traces.
fn remove(container: &Container) -> Result<()> {
    kill(container)?;
    free(container, container.cgroup()?.as_deref())
}

/// Removes what was made, once the init process is dead.
fn free(container: &Container, cgroup: Option<&dyn Cgroup>) -> Result<()> {
    log::debug("remove the cgroup and the directory of the container");
    if let Some(cgroup) = cgroup.filter(|cgroup| cgroup.is_own())
        && !cgroup.remove_if_empty()?
    {
        // Without a pid namespace of its own the container may have left processes behind.
        cgroup.kill()?;
        cgroup.remove()?;
    }
    if let Some(groups) = container.resctrl()? {
        groups.remove()?;
    }
    container.directory.remove()
}

/// Kills the init process and waits for its end.
fn kill(container: &Container) -> Result<()> {
    let Some(pidfd) = container.pidfd()? else { return Ok(()) };
    log::debug("kill the init process");
    let doing = || format!("kill container `{}`", container.directory.id);
    match rustix::process::pidfd_send_signal(&pidfd, Signal::KILL) {
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        sent => sent.doing(doing)?,
    }
    if cgroup::ends_at_once(pidfd.as_fd()).doing(doing)? {
        return Ok(());
    }
    // On version 1 a frozen process does not die.
    container.cgroup()?.map_or(Ok(()), |cgroup| cgroup.thaw())?;
    let pid = container.record.as_ref().map_or(0, |record| record.pid);
    cgroup::wait_for_end(pid, pidfd.as_fd()).doing(doing)
}

/// A failing hook is a warning here, and the others run all the same.
fn poststop(container: &Container, config: &Config) {
    let bundle = container.record.as_ref().map_or(Path::new("/"), |record| &record.bundle);
    let state = State::new(&container.directory.id, Status::Stopped, None, bundle, &config.annotations);
    for error in hook::run_each(&config.hooks, HookKind::Poststop, &state) {
        log::warn(&error.to_string());
    }
}
