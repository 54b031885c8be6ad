//! The files of host-wide kernel state.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::system::proc::files::{about, if_there};
use crate::system::sys::kernel_version;

/// Members of `/proc/sys` that a namespace has for itself (the check has its own), or that the kernel changes without being
/// asked, or whose reading is an action. Directories stand for all that is in them.
const LEFT_OUT: [&str; 20] = [
    "fs/binfmt_misc",
    "fs/mqueue",
    "kernel/auto_msgmni",
    "kernel/cad_pid",
    "kernel/domainname",
    "kernel/hostname",
    "kernel/hung_task_warnings",
    "kernel/msgmax",
    "kernel/msgmnb",
    "kernel/msgmni",
    "kernel/ns_last_pid",
    "kernel/perf_event_max_sample_rate",
    "kernel/random",
    "kernel/sem",
    "kernel/shm_rmid_forced",
    "kernel/shmall",
    "kernel/shmmax",
    "kernel/shmmni",
    "kernel/tainted",
    "net",
];

/// Since this kernel each pid namespace has one for itself.
const PID_MAX: &str = "kernel/pid_max";
const OWN_PID_MAX: (u32, u32) = (6, 14);

/// Reading these makes the kernel work for milliseconds.
const SLOW: [&str; 2] = ["/proc/sys/vm/stat_refresh", "/sys/module/workqueue/parameters/debug_force_rr_cpu"];

/// What a program that watches over memory is about to ask of the kernel, and changes all the time; its files come and go with that.
const DAMON: &str = "/sys/kernel/mm/damon/admin";

/// Further files that decide what the kernel does or executes.
const FURTHER: [&str; 6] = [
    "/proc/irq/default_smp_affinity",
    "/proc/swaps",
    "/sys/kernel/profiling",
    "/sys/kernel/rcu_expedited",
    "/sys/kernel/rcu_normal",
    "/sys/kernel/uevent_helper",
];

/// Block devices that come and go, or change as they are used.
const PASSING: [&str; 5] = ["loop", "ram", "zram", "dm-", "nbd"];

/// Lists what [`super::KernelState::now`] looks at. The supervisor does so before it starts a check, so that the processes of all
/// checks inherit the list; else each would make its own.
///
/// # Errors
/// When `/proc` or `/sys` cannot be listed.
pub fn list_settings() -> io::Result<()> {
    watched().map(drop)
}

/// The files to look at.
pub(super) fn watched() -> io::Result<&'static [PathBuf]> {
    static WATCHED: OnceLock<Vec<PathBuf>> = OnceLock::new();
    if let Some(watched) = WATCHED.get() {
        return Ok(watched);
    }
    let mut found = Vec::new();
    let sysctl = Path::new("/proc/sys");
    let own_pid_max = kernel_version(&nix::sys::utsname::uname()?.release().to_string_lossy()) >= OWN_PID_MAX;
    let left_out = || LEFT_OUT.into_iter().chain(own_pid_max.then_some(PID_MAX));
    collect(sysctl, &|path| left_out().any(|name| path == sysctl.join(name)), &mut found)?;
    modules(Path::new("/sys/module"), &mut found)?;
    collect(Path::new("/sys/kernel/mm"), &|path| path == Path::new(DAMON), &mut found)?;
    block_devices(Path::new("/sys/block"), &mut found)?;
    for bus in if_there(fs::read_dir("/sys/bus"))?.into_iter().flatten() {
        found.extend(Some(bus?.path().join("drivers_autoprobe")).filter(|path| path.exists()));
    }
    found.extend(FURTHER.iter().map(PathBuf::from));
    found.retain(|path| !SLOW.iter().any(|slow| path == Path::new(slow)));
    Ok(WATCHED.get_or_init(|| found))
}

/// The parameters of the modules in a directory, and whether those that can be unloaded are there. One that is loaded meanwhile is
/// none of these: valid operations do that.
fn modules(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for module in if_there(fs::read_dir(dir))?.into_iter().flatten() {
        let module = module?.path();
        // Beside the modules there are files, such as `compression`.
        if module.is_dir() {
            collect(&module.join("parameters"), &|_| false, found)?;
            found.extend(Some(module.join("initstate")).filter(|state| state.exists()));
        }
    }
    Ok(())
}

/// How requests to the block devices are queued.
fn block_devices(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for device in if_there(fs::read_dir(dir))?.into_iter().flatten() {
        let device = device?;
        let name = device.file_name();
        if !is_passing(&name.to_string_lossy()) {
            collect(&device.path().join("queue"), &|_| false, found)?;
        }
    }
    Ok(())
}

/// Whether a device of this name may come and go, or change as it is used.
pub(super) fn is_passing(name: &str) -> bool {
    PASSING.iter().any(|start| name.starts_with(start))
}

/// The files below a directory that root can read and write.
fn collect(dir: &Path, left_out: &dyn Fn(&Path) -> bool, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let Some(entries) = if_there(fs::read_dir(dir).map_err(|why| about(dir.display(), &why)))? else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let Some(status) = if_there(fs::symlink_metadata(&path))? else { continue };
        if left_out(&path) {
            continue;
        }
        if status.is_dir() {
            collect(&path, left_out, found)?;
        } else if status.is_file() && status.mode() & 0o200 != 0 && status.mode() & 0o444 != 0 {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beside_the_modules_is_none() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("compression"), "xz\n").unwrap();
        fs::create_dir_all(dir.path().join("loop/parameters")).unwrap();
        fs::write(dir.path().join("loop/parameters/max_loop"), "8\n").unwrap();
        let mut found = Vec::new();
        modules(dir.path(), &mut found).unwrap();
        assert_eq!(found, [dir.path().join("loop/parameters/max_loop")]);
    }

    #[test]
    fn what_a_program_asks_of_damon_is_not_watched() {
        let watched = watched().unwrap();
        assert!(watched.iter().any(|path| path.starts_with("/proc/sys/vm")));
        assert!(!watched.iter().any(|path| path.starts_with(DAMON)));
    }
}
