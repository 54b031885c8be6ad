//! The filesystems of a booted host.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::unistd::{chdir, chroot};

use super::step;

const NONE: Option<&str> = None;

/// Makes the root one that `pivot_root(2)` can leave, which that of the kernel is not: a bind mount of itself, moved over
/// it.
pub(super) fn make_root_movable() -> io::Result<()> {
    fs::create_dir_all("/newroot")?;
    let moved = || -> nix::Result<()> {
        mount(Some("/"), "/newroot", NONE, MsFlags::MS_BIND, NONE)?;
        chdir("/newroot")?;
        mount(Some("."), "/", NONE, MsFlags::MS_MOVE, NONE)?;
        chroot(".")?;
        chdir("/")
    };
    step("make the root movable", moved().map_err(Into::into))?;
    fs::remove_dir("/newroot")
}

/// Type, place, options, flags; whether a kernel without it is good enough.
type Row = (&'static str, &'static str, &'static str, MsFlags, bool);

const PLAIN: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC);

/// What systemd mounts on a host, in its order.
const PSEUDO_FILESYSTEMS: &[Row] = &[
    ("proc", "/proc", "", PLAIN, false),
    ("sysfs", "/sys", "", PLAIN, false),
    ("devtmpfs", "/dev", "mode=755", MsFlags::MS_NOSUID, false),
    ("securityfs", "/sys/kernel/security", "", PLAIN, true),
    ("tmpfs", "/dev/shm", "mode=1777", MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV), false),
    ("devpts", "/dev/pts", "mode=620,gid=5,ptmxmode=666", MsFlags::MS_NOSUID.union(MsFlags::MS_NOEXEC), false),
    ("tmpfs", "/run", "mode=755", MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV), false),
    ("mqueue", "/dev/mqueue", "", PLAIN, true),
    ("hugetlbfs", "/dev/hugepages", "", MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV), true),
    ("debugfs", "/sys/kernel/debug", "", PLAIN, true),
    ("tracefs", "/sys/kernel/tracing", "", PLAIN, true),
    ("bpf", "/sys/fs/bpf", "mode=700", PLAIN, true),
    ("resctrl", "/sys/fs/resctrl", "", PLAIN, true),
];

/// Links that programs expect beside the devices.
const LINKS: [(&str, &str); 4] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
];

/// Mounts all pseudo filesystems, and makes what a host has beside them.
pub(super) fn mount_pseudo_filesystems() -> io::Result<()> {
    for (kind, place, options, flags, optional) in PSEUDO_FILESYSTEMS {
        // Within sysfs the kernel makes the places itself, of what it has.
        let there = fs::create_dir_all(place);
        if *optional && (there.is_err() || !Path::new(place).exists()) {
            continue;
        }
        match mount(Some(*kind), *place, Some(*kind), *flags, Some(*options)) {
            Ok(()) => {}
            Err(Errno::ENODEV | Errno::ENOENT | Errno::EOPNOTSUPP) if *optional => {}
            Err(why) => return step(&format!("mount {kind} at {place}"), Err(why.into())),
        }
    }
    LINKS.iter().try_for_each(|(target, link)| symlink(target, link))?;
    for (dir, mode) in [("/tmp", 0o1777), ("/root", 0o700), ("/etc", 0o755)] {
        fs::create_dir_all(dir)?;
        fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    }
    fs::write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")?;
    fs::write("/etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n")
}
