//! `run`: create and start in one, without the program having to wait; in the foreground also delete.

use std::os::fd::{AsFd, OwnedFd};

use super::{delete, start};
use crate::container::Container;
use crate::error::{Context, Result};
use crate::foreground::Foreground;
use crate::launch::{LaunchRequest, Launched, launch};
use crate::log;

/// Runs a container and returns its exit code; detached, 0 as soon as the program runs. `keep` leaves the container
/// behind when the program has ended.
///
/// # Errors
/// As [`launch`], or when a poststart hook fails: the container is destroyed then.
pub fn run(request: &LaunchRequest, keep: bool) -> Result<u8> {
    let foreground = if request.detach { None } else { Some(Foreground::prepare()?) };
    run_foreground(launch(request, true)?, foreground, keep)
}

/// Sees a container whose program runs to its end, when it is in the foreground.
pub(super) fn run_foreground(launched: Launched, foreground: Option<Foreground>, keep: bool) -> Result<u8> {
    let Launched { config, cgroup, directory, lock, record, pidfd, console, notify } = launched;
    let pid = record.pid;
    // Hooks may use the runtime on the container.
    drop(lock);
    let container = Container { directory, record: Some(record) };
    start::poststart(&container, &config).inspect_err(|_| delete::destroy_failed(&container, &config))?;
    let Some(foreground) = foreground else {
        return notify.map_or(Ok(0), |notify| notify.relay(pidfd.as_fd(), pid).map(|()| 0));
    };
    if let Some(notify) = notify {
        let program = pidfd.try_clone().doing(|| "copy a descriptor".into())?;
        std::thread::spawn(move || notify.relay(program.as_fd(), pid));
    }
    let code = foreground.wait(pidfd.as_fd(), console.as_ref().map(OwnedFd::as_fd));
    if !keep {
        let lock = container.directory.lock().doing(|| "delete the container".into());
        match lock {
            Ok(_lock) => delete::destroy_own(&container, &config, &*cgroup)?,
            // Somebody else deleted it meanwhile.
            Err(error) => log::debug(&error.to_string()),
        }
    }
    code
}
