//! Mount options of superblocks. All mounts of a filesystem share them, in every mount namespace: a runtime that makes the root of the
//! host read-only does so for all.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{FsPickFlags, fsconfig_reconfigure, fsconfig_set_flag, fsconfig_set_string, fspick};

use super::member::{below, is_named, member};
use crate::system::proc::mountinfo::Mount;
use crate::system::saved_mounts;

pub(super) const NAMED: &str = "filesystem:";

/// By `filesystem:PLACE`, its type, its device and its options.
pub(super) fn members() -> io::Result<BTreeMap<PathBuf, String>> {
    let mounts = saved_mounts::outside()?.map_or_else(saved_mounts::mounts, Ok)?;
    // Whoever mounts cgroup v2 once more in the host's cgroup namespace changes its options.
    let mounts = mounts.into_iter().filter(|mount| mount.kind != "cgroup2");
    Ok(mounts.map(|mount| (member(NAMED, &mount.point), shown(&mount))).collect())
}

fn shown(mount: &Mount) -> String {
    format!("{} {} {}", mount.kind, mount.device, mount.super_options.join(","))
}

/// Type and device, and the options.
fn split(shown: &str) -> (&str, &str) {
    shown.rsplit_once(' ').unwrap_or((shown, ""))
}

/// Leaves only differences in the options of a filesystem: mounts come and go, and not everybody sees the same ones.
pub(super) fn leave_options(before: &BTreeMap<PathBuf, String>, now: &mut BTreeMap<PathBuf, String>) {
    now.retain(|member, _| !is_named(member, NAMED) || before.contains_key(member));
    for (member, was) in before.iter().filter(|(member, _)| is_named(member, NAMED)) {
        let shown = now.entry(member.clone()).or_insert_with(|| was.clone());
        if split(shown).0 != split(was).0 {
            shown.clone_from(was);
        }
    }
}

/// Of the mounts that this process has, any of the filesystem will do.
pub(super) fn restore(member: &Path, was: Option<&str>) -> io::Result<()> {
    let was = was.ok_or_else(|| io::Error::other("it was not mounted"))?;
    let (which, options) = split(was);
    let find = || Ok::<_, io::Error>(saved_mounts::mounts()?.into_iter().find(|mount| split(&shown(mount)).0 == which));
    let mount = find()?
        .ok_or_else(|| io::Error::other(format!("{} is out of reach", below(member, NAMED).unwrap_or_default())))?;
    reconfigure(&mount.point, options)?;
    match find()? {
        Some(mount) if shown(&mount) == was => Ok(()),
        _ => Err(io::Error::other("the filesystem does not take its options back")),
    }
}

fn reconfigure(point: &str, options: &str) -> io::Result<()> {
    let context = fspick(CWD, point, FsPickFlags::FSPICK_CLOEXEC | FsPickFlags::FSPICK_SYMLINK_NOFOLLOW)?;
    for option in options.split(',') {
        match option.split_once('=') {
            Some((name, value)) => fsconfig_set_string(&context, name, value),
            None => fsconfig_set_flag(&context, option),
        }?;
    }
    Ok(fsconfig_reconfigure(&context)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_options_of_the_same_filesystem_count() {
        let state = |members: &[(&str, &str)]| -> BTreeMap<PathBuf, String> {
            members.iter().map(|(member, shown)| (PathBuf::from(member), (*shown).to_owned())).collect()
        };
        let before = state(&[
            ("filesystem:/a", "tmpfs 0:5 rw"),
            ("filesystem:/b", "tmpfs 0:6 rw"),
            ("filesystem:/c", "tmpfs 0:7 rw"),
            ("/d", "1"),
        ]);
        let mut now = state(&[
            ("filesystem:/a", "tmpfs 0:5 ro"),
            ("filesystem:/b", "tmpfs 0:9 ro"),
            ("filesystem:/new", "tmpfs 0:8 rw"),
            ("/e", "2"),
        ]);
        leave_options(&before, &mut now);
        let left = state(&[
            ("filesystem:/a", "tmpfs 0:5 ro"),
            ("filesystem:/b", "tmpfs 0:6 rw"),
            ("filesystem:/c", "tmpfs 0:7 rw"),
            ("/e", "2"),
        ]);
        assert_eq!(now, left);
    }
}
