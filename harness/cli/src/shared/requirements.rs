//! What a run needs, checked before anything else; and set-ups in which the isolation of a run would not hold: refused if another
//! user could interfere, a warning if it is the choice of the caller.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use plimsoll_engine::cgroup::Mode;
use plimsoll_engine::host;
use plimsoll_foreign::trust;
use plimsoll_reports::model::Host;

use crate::shared::failure::Failure;
use crate::shared::output::say;

/// Fails where no runtime can be judged, whatever the checks: one line says what is missing.
pub fn required() -> Result<(), Failure> {
    has_proc()?;
    match missing()? {
        Some(missing) => Err(Failure::Host(format!("{}; {}", missing.what, missing.way))),
        None => Ok(()),
    }
}

/// Fails without `/proc`, which everything else needs.
pub fn has_proc() -> Result<(), Failure> {
    let there = Path::new("/proc/self/mountinfo").exists() && Path::new("/proc/filesystems").exists();
    let why = || "/proc is not mounted, or not that of this pid namespace: mount -t proc proc /proc".to_owned();
    if there { Ok(()) } else { Err(Failure::Host(why())) }
}

/// What keeps every check from running.
pub struct Missing {
    /// What is needed, and what is not there of it.
    pub what: String,
    /// What the user can do.
    pub way: &'static str,
}

/// What this process or this host lacks without which nothing can be judged: the right to do so (that of root, which in a
/// container may be no more than anybody's), or control groups.
pub fn missing() -> Result<Option<Missing>, Failure> {
    const MAKES_NAMESPACES: &str = "CAP_SYS_ADMIN";
    let why = "testing a runtime needs root: it makes mounts, cgroups and namespaces";
    if !nix::unistd::geteuid().is_root() {
        let way = "use sudo; only `plimsoll run --list` works without";
        return Ok(Some(Missing { what: why.to_owned(), way }));
    }
    if host::missing_capabilities().map_err(Failure::host)?.iter().any(|name| name == MAKES_NAMESPACES) {
        let way = "run it on the host, in a privileged container, or with `plimsoll vm -- …`";
        return Ok(Some(Missing { what: format!("{why}, and root has no {MAKES_NAMESPACES} here"), way }));
    }
    if Mode::of_host().map_err(Failure::host)? == Mode::None {
        let way = "mount -t cgroup2 cgroup2 /sys/fs/cgroup, or use `plimsoll vm -- …`";
        return Ok(Some(Missing { what: "testing a runtime needs cgroups, and none are mounted".to_owned(), way }));
    }
    Ok(None)
}

/// A hint for when no container works, whatever the runtime says: some refuse a hybrid host.
pub fn hint_of_view(host: &Host) -> &'static str {
    let is_shown_hybrid = host.cgroups == "hybrid" && host.cgroup_view == "host";
    if is_shown_hybrid { "the cgroups of this host are hybrid, which crun refuses: try --cgroup-view v1; " } else { "" }
}

/// Refuses a temporary directory in which others can replace that of the run, and warns of a runtime that others can change.
pub fn hold(runtime: &Path) -> Result<(), Failure> {
    let place = std::env::temp_dir();
    if let Some(why) = unsafe_place(&place)? {
        return Err(Failure::Host(format!(
            "the temporary directory {} {why}, so other users could replace the files of the run: chmod 1777 it as root, or set \
             TMPDIR",
            place.display()
        )));
    }
    if let Some(why) = trust::objection(runtime).map_err(Failure::host)? {
        say(&format!("plimsoll: warning: {} is executed as root, and {why}", runtime.display()));
    }
    Ok(())
}

/// Why other users could replace a directory that is made in this one. A missing one is reported when it is needed.
fn unsafe_place(place: &Path) -> Result<Option<String>, Failure> {
    let Ok(place) = fs::canonicalize(place) else { return Ok(None) };
    let status = fs::metadata(&place).map_err(Failure::host)?;
    if !status.is_dir() {
        return Ok(None);
    }
    let own = nix::unistd::geteuid().as_raw();
    if status.uid() != 0 && status.uid() != own {
        return Ok(Some(format!("belongs to user {}", status.uid())));
    }
    let (mode, sticky) = (status.mode() & 0o7777, status.mode() & 0o1000 != 0);
    Ok((mode & 0o022 != 0 && !sticky)
        .then(|| format!("can be written by others and has no sticky bit (mode {mode:04o})")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_shared_directory_needs_the_sticky_bit() {
        let dir = tempfile::tempdir().unwrap();
        let with = |mode| {
            fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
            unsafe_place(dir.path()).unwrap()
        };
        assert_eq!(with(0o700), None);
        assert_eq!(with(0o1777), None);
        assert!(with(0o777).unwrap().contains("no sticky bit (mode 0777)"));
        assert!(with(0o770).is_some());
        with(0o700);
        assert_eq!(unsafe_place(Path::new("/none/such")).unwrap(), None);
    }
}
