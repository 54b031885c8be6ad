//! The file system of the container.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use nix::mount::MsFlags;
use plimsoll_fixtures::Config;
use serde_json::Value;

use super::group::Groups;
use super::writer::{HERE, Plan};
use super::{list, texts, unable};

/// The mount options that are flags of mount(2); what is not among them is data for the file system.
const FLAGS: [(&str, MsFlags); 12] = [
    ("nosuid", MsFlags::MS_NOSUID),
    ("nodev", MsFlags::MS_NODEV),
    ("noexec", MsFlags::MS_NOEXEC),
    ("ro", MsFlags::MS_RDONLY),
    ("rw", MsFlags::empty()),
    ("noatime", MsFlags::MS_NOATIME),
    ("relatime", MsFlags::MS_RELATIME),
    ("strictatime", MsFlags::MS_STRICTATIME),
    ("bind", MsFlags::MS_BIND),
    ("rbind", MsFlags::MS_BIND.union(MsFlags::MS_REC)),
    ("rprivate", MsFlags::empty()),
    ("private", MsFlags::empty()),
];

/// The devices and the links that every container has.
const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// `MOUNT_ATTR_RDONLY` of mount_setattr(2).
const READ_ONLY: u64 = 1;
/// The attributes that a mount of a control group gets: read-only, nosuid, nodev, noexec.
const OF_GROUPS: u64 = 0xf;

/// Makes it and changes the root.
pub fn make(plan: &mut Plan, config: &Config, bundle: &Path, groups: &Groups<'_>) -> io::Result<()> {
    if config.namespace("mount").is_none() {
        return Err(unable("a container without a mount namespace"));
    }
    let root = bundle.join(config.0["root"]["path"].as_str().unwrap_or("rootfs"));
    plan.call(libc::SYS_umask, [0]);
    let top = plan.text("/");
    mount(plan, 0, top, 0, (MsFlags::MS_REC | MsFlags::MS_SLAVE, 0));
    let path = plan.text(bytes(&root));
    mount(plan, path, path, 0, (MsFlags::MS_BIND | MsFlags::MS_REC, 0));
    plan.call(libc::SYS_chdir, [path]);
    let mut made = Vec::new();
    for entry in list(&config.0["mounts"]) {
        mount_entry(plan, entry, &root, (&mut made, groups))?;
    }
    devices(plan, config);
    plan.call(libc::SYS_umask, [0o22]);
    if config.namespace("user").is_none() {
        groups.close_devices(plan);
    }
    let here = plan.text(".");
    plan.call(libc::SYS_pivot_root, [here, here]);
    plan.call(libc::SYS_umount2, [here, libc::MNT_DETACH as u64]);
    plan.call(libc::SYS_chdir, [top]);
    hide(plan, config);
    if config.0["root"]["readonly"] == true {
        set_attributes(plan, top, READ_ONLY);
    }
    Ok(())
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

fn mount(plan: &mut Plan, source: u64, target: u64, kind: u64, (flags, data): (MsFlags, u64)) {
    plan.call(libc::SYS_mount, [source, target, kind, flags.bits(), data]);
}

/// Adds attributes to a mount and leaves those that it has.
fn set_attributes(plan: &mut Plan, path: u64, attributes: u64) {
    let attributes = plan.words(&[attributes, 0, 0, 0]);
    plan.call(libc::SYS_mount_setattr, [HERE, path, 0, attributes, 32]);
}

/// `made` are the destinations so far: what is below one of them is not the root's, and is missing at first.
fn mount_entry(
    plan: &mut Plan,
    entry: &Value,
    root: &Path,
    (made, groups): (&mut Vec<PathBuf>, &Groups<'_>),
) -> io::Result<()> {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let inside = Path::new(text("destination")).strip_prefix("/").unwrap_or(Path::new(text("destination")));
    if inside.components().any(|part| part == Component::ParentDir) {
        return Err(unable("a destination with .. in it"));
    }
    for above in inside.ancestors().collect::<Vec<_>>().into_iter().rev().skip(1) {
        let of_the_kernel = above.starts_with("sys") || above.starts_with("proc");
        let hidden = made.iter().any(|made| above != made && above.starts_with(made));
        if !of_the_kernel && hidden || !hidden && !root.join(above).exists() {
            let path = plan.text(bytes(above));
            plan.call(libc::SYS_mkdirat, [HERE, path, 0o755]).passed_over = libc::EEXIST as u64;
        }
    }
    made.push(inside.to_owned());
    let target = plan.text(bytes(inside));
    if matches!(text("type"), "cgroup" | "cgroup2") {
        show_groups(plan, inside, target, groups);
        return Ok(());
    }
    let (mut flags, mut data) = (MsFlags::empty(), Vec::new());
    for option in texts(&entry["options"]) {
        match FLAGS.iter().find(|(name, _)| *name == option) {
            Some((_, flag)) => flags |= *flag,
            None => data.push(option),
        }
    }
    let (source, kind, data) = (plan.text(text("source")), plan.text(text("type")), plan.text(data.join(",")));
    mount(plan, source, target, kind, (flags, data));
    Ok(())
}

/// The container's own group: of version 2 alone as it is, else a directory for each hierarchy.
fn show_groups(plan: &mut Plan, inside: &Path, target: u64, groups: &Groups<'_>) {
    let members: Vec<_> = groups.members().collect();
    if let [(hierarchy, dir)] = members.as_slice()
        && hierarchy.v2
    {
        let source = plan.text(bytes(dir));
        mount(plan, source, target, 0, (MsFlags::MS_BIND, 0));
        return set_attributes(plan, target, OF_GROUPS);
    }
    let (name, mode) = (plan.text("tmpfs"), plan.text("mode=755"));
    mount(plan, name, target, name, (MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC, mode));
    for (hierarchy, dir) in members {
        let place = plan.text(bytes(&inside.join(hierarchy.mount.file_name().unwrap_or_default())));
        plan.call(libc::SYS_mkdirat, [HERE, place, 0o755]);
        let source = plan.text(bytes(dir));
        mount(plan, source, place, 0, (MsFlags::MS_BIND, 0));
        set_attributes(plan, place, OF_GROUPS);
    }
    set_attributes(plan, target, READ_ONLY);
}

/// Nodes, or the host's own bound where a user namespace may make none.
fn devices(plan: &mut Plan, config: &Config) {
    let all = DEVICES.map(|(name, major, minor)| (format!("dev/{name}"), libc::S_IFCHR, major, minor));
    let number = |device: &Value, name: &str| device[name].as_u64().and_then(|number| u32::try_from(number).ok());
    let configured = list(&config.0["linux"]["devices"]).iter().map(|device| {
        let kind = if device["type"] == "b" { libc::S_IFBLK } else { libc::S_IFCHR };
        let path = device["path"].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
        (path, kind, number(device, "major").unwrap_or(0), number(device, "minor").unwrap_or(0))
    });
    for (path, kind, major, minor) in configured.chain(all) {
        let (place, host) = (plan.text(&path), format!("/{path}"));
        if config.namespace("user").is_none() {
            let device = libc::makedev(major, minor);
            plan.call(libc::SYS_mknodat, [HERE, place, (kind | 0o666).into(), device]).passed_over =
                libc::EEXIST as u64;
        } else if fs::exists(&host).unwrap_or(false) {
            plan.call(libc::SYS_mknodat, [HERE, place, (libc::S_IFREG | 0o666).into(), 0]).passed_over =
                libc::EEXIST as u64;
            let source = plan.text(host);
            mount(plan, source, place, 0, (MsFlags::MS_BIND, 0));
        }
    }
    for (name, target) in LINKS {
        let (target, place) = (plan.text(target), plan.text(format!("dev/{name}")));
        plan.call(libc::SYS_symlinkat, [target, HERE, place]).passed_over = libc::EEXIST as u64;
    }
}

/// Masked and read-only paths. What there is of them in the container is what there is on the host: all are the kernel's.
fn hide(plan: &mut Plan, config: &Config) {
    let there = |name: &str| {
        let paths = texts(&config.0["linux"][name]).map(str::to_owned);
        paths.filter_map(|path| fs::metadata(&path).ok().map(|data| (path, data.is_dir()))).collect::<Vec<_>>()
    };
    for (path, _) in there("readonlyPaths") {
        let path = plan.text(path);
        mount(plan, path, path, 0, (MsFlags::MS_BIND | MsFlags::MS_REC, 0));
        set_attributes(plan, path, READ_ONLY);
    }
    let (null, tmpfs) = (plan.text("/dev/null"), plan.text("tmpfs"));
    for (path, directory) in there("maskedPaths") {
        let path = plan.text(path);
        if directory {
            mount(plan, tmpfs, path, tmpfs, (MsFlags::MS_RDONLY, 0));
        } else {
            mount(plan, null, path, 0, (MsFlags::MS_BIND, 0));
        }
    }
}
