//! Whether this kernel supports a listed value. The document describes the runtime and may list what this host does not support, so a value
//! is only tested if the harness itself can use it.

use std::path::Path;

use nix::fcntl::AT_FDCWD;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, mkdir, unlinkat};
use plimsoll_engine::namespace_holder;
use plimsoll_engine::sys;
use plimsoll_foreign::read;
use rustix::fs::CWD;
use rustix::mount::{OpenTreeFlags, open_tree};

/// The attributes of mount_setattr(2) that a word for a mount sets and clears; with an `r` in front it is for a tree.
const ATTRIBUTES: &[(&str, u64, u64)] = &[
    ("ro", libc::MOUNT_ATTR_RDONLY, 0),
    ("rw", 0, libc::MOUNT_ATTR_RDONLY),
    ("nosuid", libc::MOUNT_ATTR_NOSUID, 0),
    ("suid", 0, libc::MOUNT_ATTR_NOSUID),
    ("nodev", libc::MOUNT_ATTR_NODEV, 0),
    ("dev", 0, libc::MOUNT_ATTR_NODEV),
    ("noexec", libc::MOUNT_ATTR_NOEXEC, 0),
    ("exec", 0, libc::MOUNT_ATTR_NOEXEC),
    ("nosymfollow", libc::MOUNT_ATTR_NOSYMFOLLOW, 0),
    ("symfollow", 0, libc::MOUNT_ATTR_NOSYMFOLLOW),
    ("nodiratime", libc::MOUNT_ATTR_NODIRATIME, 0),
    ("diratime", 0, libc::MOUNT_ATTR_NODIRATIME),
    // These replace each other, so to set one, all have to be cleared.
    ("noatime", libc::MOUNT_ATTR_NOATIME, libc::MOUNT_ATTR__ATIME),
    ("strictatime", libc::MOUNT_ATTR_STRICTATIME, libc::MOUNT_ATTR__ATIME),
    ("relatime", libc::MOUNT_ATTR_RELATIME, libc::MOUNT_ATTR__ATIME),
    ("atime", libc::MOUNT_ATTR_RELATIME, libc::MOUNT_ATTR__ATIME),
    ("norelatime", libc::MOUNT_ATTR_RELATIME, libc::MOUNT_ATTR__ATIME),
    ("nostrictatime", libc::MOUNT_ATTR_RELATIME, libc::MOUNT_ATTR__ATIME),
];

/// What a word asks of a filesystem. mount_setattr(2) changes nothing of that, so with an `r` in front no kernel does it.
const OF_FILESYSTEMS: &[(&str, MsFlags)] = &[
    ("sync", MsFlags::MS_SYNCHRONOUS),
    ("async", MsFlags::empty()),
    ("dirsync", MsFlags::MS_DIRSYNC),
    ("mand", MsFlags::MS_MANDLOCK),
    ("nomand", MsFlags::empty()),
    ("iversion", MsFlags::MS_I_VERSION),
    ("noiversion", MsFlags::empty()),
    ("lazytime", MsFlags::MS_LAZYTIME),
    ("nolazytime", MsFlags::empty()),
];

/// The numbers of set_mempolicy(2).
const POLICIES: &[(&str, i32)] = &[
    ("MPOL_DEFAULT", libc::MPOL_DEFAULT),
    ("MPOL_PREFERRED", libc::MPOL_PREFERRED),
    ("MPOL_BIND", libc::MPOL_BIND),
    ("MPOL_INTERLEAVE", libc::MPOL_INTERLEAVE),
    ("MPOL_LOCAL", libc::MPOL_LOCAL),
    ("MPOL_PREFERRED_MANY", 5),
    ("MPOL_WEIGHTED_INTERLEAVE", 6),
];

const POLICY_FLAGS: &[(&str, i32)] = &[
    ("MPOL_F_NUMA_BALANCING", libc::MPOL_F_NUMA_BALANCING),
    ("MPOL_F_RELATIVE_NODES", libc::MPOL_F_RELATIVE_NODES),
    ("MPOL_F_STATIC_NODES", libc::MPOL_F_STATIC_NODES),
];

/// Whether it can mount with this option; a word that asks nothing of the kernel is one that it can.
pub(super) fn mounts_with(dir: &Path, option: &str) -> bool {
    let stem = option.strip_prefix('r');
    let attributes = ATTRIBUTES.iter().find(|(word, ..)| *word == option || Some(*word) == stem);
    if let Some(&(_, set, clear)) = attributes {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        return open_tree(CWD, dir, flags).is_ok_and(|clone| sys::mount_setattr(&clone, set, clear).is_ok());
    }
    match OF_FILESYSTEMS.iter().find(|(word, _)| *word == option || Some(*word) == stem) {
        Some(&(word, flags)) => word == option && mounts(dir, flags).is_ok(),
        None => true,
    }
}

fn mounts(dir: &Path, flags: MsFlags) -> nix::Result<()> {
    let at = dir.join("trial");
    mkdir(&at, Mode::S_IRWXU)?;
    let mounted = mount(Some("trial"), &at, Some("tmpfs"), flags, None::<&str>);
    mounted.and_then(|()| umount2(&at, MntFlags::MNT_DETACH)).and(unlinkat(AT_FDCWD, &at, UnlinkatFlags::RemoveDir))
}

/// Whether it has this type of namespace.
pub(super) fn has_namespace(kind: &str) -> bool {
    namespace_holder::kinds().all(|known| known != kind)
        || Path::new("/proc/self/ns").join(namespace_holder::kernel_name(kind)).exists()
}

/// Whether its filters have this action.
pub(super) fn has_action(action: &str) -> bool {
    let name = match action.strip_prefix("SCMP_ACT_") {
        // Two words for one, and one that always was.
        Some("KILL") | None => return true,
        Some("NOTIFY") => "user_notif".to_owned(),
        Some(other) => other.to_lowercase(),
    };
    let known = ["kill_process", "kill_thread", "trap", "errno", "user_notif", "trace", "log", "allow"];
    let there = read::kernel("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
    !known.contains(&name.as_str()) || there.split_whitespace().any(|action| action == name)
}

/// Whether a program may have memory of node 0 by this mode or flag; a word that no kernel has is one to be judged.
pub(super) fn has_policy(mode: &str, flag: Option<&str>) -> bool {
    let Some(&(_, number)) = POLICIES.iter().find(|(word, _)| *word == mode) else { return true };
    let flag = flag.and_then(|flag| POLICY_FLAGS.iter().find(|(word, _)| *word == flag)).map_or(0, |&(_, bit)| bit);
    let nodes = u64::from(policy_has_nodes(mode));
    let taken = sys::set_mempolicy(number | flag, nodes);
    let restored = sys::set_mempolicy(libc::MPOL_DEFAULT, 0);
    taken.and(restored).is_ok()
}

/// Whether a mode of memory policies is about nodes.
pub(super) fn policy_has_nodes(mode: &str) -> bool {
    !matches!(mode, "MPOL_DEFAULT" | "MPOL_LOCAL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_kernel_changes_of_a_tree_is_not_tried() {
        let nowhere = Path::new("/nonexistent");
        assert!(OF_FILESYSTEMS.iter().all(|(word, _)| !mounts_with(nowhere, &format!("r{word}"))));
        assert!(mounts_with(nowhere, "tmpcopyup"));
    }
}
