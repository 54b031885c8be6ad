//! Device nodes of the devtmpfs, which is shared by the whole host: a runtime that mounts it anywhere can change the `/dev` of the host,
//! although the check has its own `/dev`.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, mknod};
use plimsoll_foreign::read;

use super::canary::node;
use super::member::{below, is_named, member};
use super::watched::is_passing;
use crate::system::kernel_fs::DEVTMPFS;
use crate::system::proc::files::if_there;

/// What stands for the devtmpfs in the name of a member.
pub(super) const NAMED: &str = "devtmpfs:";

/// Its nodes and files, each by `devtmpfs:NAME`. A node that the kernel has made for a device that came up is none.
pub(super) fn members() -> io::Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    if let Some(root) = DEVTMPFS.root() {
        collect(&root, Path::new(""), &mut found)?;
    }
    Ok(found)
}

/// Whether this names such a member.
pub(super) fn is_member(path: &Path) -> bool {
    is_named(path, NAMED)
}

/// Makes a member what it was: `was` is what [`members`] said of it, nothing where there was none.
pub(super) fn restore(member: &Path, was: Option<&str>) -> io::Result<()> {
    let at = DEVTMPFS.expected()?.join(below(member, NAMED)?);
    let Some(was) = was else { return fs::remove_file(at) };
    let (kind, attributes) = was.split_once(" mode ").ok_or_else(|| io::Error::other("it was no node"))?;
    let (mode, owner) = attributes.split_once(" owner ").ok_or_else(|| io::Error::other("it had no owner"))?;
    let (uid, gid) = owner.split_once(':').ok_or_else(|| io::Error::other("it had no group"))?;
    let number = |text: &str| text.parse::<u32>().map_err(io::Error::other);
    if !fs::symlink_metadata(&at).is_ok_and(|now| node(&now).starts_with(kind)) {
        make(&at, kind)?;
    }
    chown(&at, Some(number(uid)?), Some(number(gid)?))?;
    fs::set_permissions(&at, Permissions::from_mode(u32::from_str_radix(mode, 8).map_err(io::Error::other)?))
}

/// A node in the place of whatever is there.
fn make(at: &Path, kind: &str) -> io::Result<()> {
    if_there(fs::remove_file(at))?;
    let (flag, numbers) = match (kind.strip_prefix("character device "), kind.strip_prefix("block device ")) {
        (Some(numbers), _) => (SFlag::S_IFCHR, numbers),
        (_, Some(numbers)) => (SFlag::S_IFBLK, numbers),
        _ => return Err(io::Error::other(format!("a {kind} is not made again"))),
    };
    let (major, minor) = numbers.split_once(':').ok_or_else(|| io::Error::other("it had no numbers"))?;
    let number = |text: &str| text.parse::<u64>().map_err(io::Error::other);
    Ok(mknod(at, flag, Mode::empty(), nix::sys::stat::makedev(number(major)?, number(minor)?))?)
}

fn collect(root: &Path, below: &Path, found: &mut BTreeMap<PathBuf, String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let name = below.join(entry?.file_name());
        let Some(status) = if_there(fs::symlink_metadata(root.join(&name)))? else { continue };
        if status.is_dir() {
            // Another process may remove it meanwhile.
            match collect(root, &name, found) {
                Err(why) if why.raw_os_error() == Some(Errno::ENOENT as i32) => {}
                done => done?,
            }
        } else if !status.is_symlink() && !is_passing(&name.to_string_lossy()) {
            found.insert(member(NAMED, name.display()), node(&status));
        }
    }
    Ok(())
}

/// Whether the kernel has made this node itself, for a device that is there.
pub(super) fn is_of_the_kernel(member: &Path, shown: &str) -> bool {
    let Some((kind, _)) = shown.split_once(" mode ") else { return false };
    let (class, numbers) = match kind.split_once(" device ") {
        Some(("character", numbers)) => ("char", numbers),
        Some((_, numbers)) => ("block", numbers),
        None => return false,
    };
    let event = read::kernel(format!("/sys/dev/{class}/{numbers}/uevent")).unwrap_or_default();
    let named = event.lines().find_map(|line| line.strip_prefix("DEVNAME="));
    named.is_some_and(|named| member == Path::new(&format!("{NAMED}{named}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_made_is_told_from_what_somebody_made() {
        let node = "character device 1:3 mode 0666 owner 0:0";
        assert!(is_of_the_kernel(Path::new("devtmpfs:null"), node));
        for (member, node) in [
            ("devtmpfs:nothing", node),
            ("devtmpfs:null", "character device 4095:3 mode 0666 owner 0:0"),
            ("devtmpfs:file", "file mode 0644 owner 0:0"),
        ] {
            assert!(!is_of_the_kernel(Path::new(member), node), "{member}");
        }
    }

    #[test]
    fn the_nodes_of_every_host_are_seen() {
        let Some(_) = DEVTMPFS.root() else { return println!("skipped: devtmpfs cannot be mounted here") };
        let members = members().unwrap();
        assert!(members.contains_key(Path::new("devtmpfs:null")), "{members:?}");
        assert!(members.keys().all(|member| is_member(member)));
    }
}
