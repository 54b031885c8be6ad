//! What a check saves before the runtime runs, to see and restore its mounts afterwards: a descriptor of `/proc`, and copies of the
//! mounts that it needs.
//!
//! A runtime may mount over everything or remove `/proc`. That is its failure and not one of the harness: the list of mounts is read
//! through the descriptor, and then everything is restored.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::mount::{MntFlags, umount2};
use nix::sys::stat::Mode;
use plimsoll_foreign::read::{self, KERNEL};
use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};

use crate::system::proc::files::read_text;
use crate::system::proc::mountinfo::{self, Mount};

/// Without these nothing can be observed.
const NEEDED: [&str; 3] = ["/proc", "/sys", "/dev"];

/// What the process of a check holds. There is one check in a process.
static SAVED: OnceLock<Saved> = OnceLock::new();

/// The list of mounts outside of the check, in the namespace of the run, to which those of the host come and from which they go.
static OUTSIDE: OnceLock<File> = OnceLock::new();

#[derive(Debug)]
struct Saved {
    proc: OwnedFd,
    before: Vec<Mount>,
    copies: Vec<(&'static str, OwnedFd)>,
}

/// Takes hold. What is held once stays, until this process ends.
///
/// # Errors
/// When the kernel refuses it.
pub fn save() -> io::Result<()> {
    let proc = open("/proc", OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let copies = NEEDED.into_iter().map(|path| Ok((path, open_tree(CWD, path, clone)?)));
    let copies = copies.collect::<io::Result<_>>()?;
    let before = mounts()?;
    // A second check in this process has what the first one held.
    SAVED.get_or_init(|| Saved { proc, before, copies });
    Ok(())
}

/// Keeps a list of mounts that was opened before this process was isolated.
pub(crate) fn keep_outside(list: File) {
    OUTSIDE.get_or_init(|| list);
}

/// The mounts outside of the check at this time; nothing where no list is kept.
///
/// # Errors
/// When the list cannot be read.
pub(crate) fn outside() -> io::Result<Option<Vec<Mount>>> {
    let Some(list) = OUTSIDE.get() else { return Ok(None) };
    let mut list = list.try_clone()?;
    list.rewind()?;
    mountinfo::parse(&text(list)?).map(Some)
}

/// The devices of the filesystems outside of the check when this was first asked: an answer that changed with what others mount would
/// be taken for a change of the check's own mounts.
///
/// # Errors
/// As [`outside`].
pub(crate) fn devices_outside() -> io::Result<&'static BTreeSet<String>> {
    static DEVICES: OnceLock<BTreeSet<String>> = OnceLock::new();
    if let Some(devices) = DEVICES.get() {
        return Ok(devices);
    }
    let devices = outside()?.into_iter().flatten().map(|mount| mount.device).collect();
    Ok(DEVICES.get_or_init(|| devices))
}

/// The mounts of this process, whatever `/proc` leads to meanwhile.
///
/// # Errors
/// When the list cannot be read or understood.
pub fn mounts() -> io::Result<Vec<Mount>> {
    mountinfo::parse(&mountinfo().unwrap_or_else(|| read_text("/proc/self/mountinfo"))?)
}

/// The list of mounts by the `/proc` that is held. Nothing where nothing is held.
fn mountinfo() -> Option<io::Result<String>> {
    let saved = SAVED.get()?;
    Some(
        openat(&saved.proc, "self/mountinfo", OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty())
            .map_err(Into::into)
            .and_then(|list| text(list.into())),
    )
}

fn text(file: File) -> io::Result<String> {
    let bytes = read::whole(file, KERNEL).map_err(io::Error::from)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Takes down what was mounted since over something that is not a container's, and puts back what is gone.
///
/// # Errors
/// When the kernel refuses it.
pub fn restore(own: &Path) -> io::Result<()> {
    let Some(saved) = SAVED.get() else { return Ok(()) };
    let known = |mount: &Mount| saved.before.iter().any(|before| before.id == mount.id);
    let foreign = |mount: &&Mount| !known(mount) && !is_of_container(Path::new(&mount.point), own);
    // The last first: what is below can be reached by its path when nothing covers it.
    let mut now = mounts()?;
    let foreign: Vec<String> = now.iter().rev().filter(foreign).map(|mount| mount.point.clone()).collect();
    for point in &foreign {
        match umount2(point.as_str(), MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => {}
            Err(why) => return Err(why.into()),
        }
    }
    if !foreign.is_empty() {
        now = mounts()?;
    }
    for (path, copy) in &saved.copies {
        // Where one was taken down, an older one may be there, such as the host's own `/proc`.
        let there = |mounts| mountinfo::mount_at(mounts, path).map(|mount| mount.id);
        if there(&saved.before).is_some() && there(&saved.before) != there(&now) {
            move_mount(copy, c"", CWD, *path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
        }
    }
    Ok(())
}

/// Whether a mount may be what a container is made of: below its bundle or the state of the runtime. A scenario that breaks off
/// leaves such mounts.
pub(crate) fn is_of_container(point: &Path, own: &Path) -> bool {
    point.strip_prefix(own).is_ok_and(|below| below.components().count() > 1)
}
