//! The floor: what the kernel itself takes for a container. The same namespaces, control group, mounts, devices, masks and
//! program as a runtime would make, by the cheapest way known, and nothing else: no state, no hooks, no checks, no errors
//! that a user could read. What is not here (seccomp, capabilities, limits, user namespaces) costs microseconds.
//!
//! It is called as `floor BUNDLE` and stays until the program has ended, as `run` does.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, pivot_root};
use plimsoll_engine::cgroup;
use plimsoll_engine::sys::{exit_now, fork};
use serde_json::Value;

/// Makes the container of a bundle: the exit code of its program, or 125.
#[must_use]
pub fn main(bundle: &Path) -> i32 {
    run(bundle).unwrap_or_else(|why| {
        eprintln!("floor: {why}");
        125
    })
}

fn run(bundle: &Path) -> io::Result<i32> {
    let config: Value = serde_json::from_slice(&fs::read(bundle.join("config.json"))?)?;
    let group = config["linux"]["cgroupsPath"].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
    let groups: Vec<PathBuf> = cgroup::hierarchies()?.into_iter().map(|one| one.mount.join(&group)).collect();
    groups.iter().try_for_each(|dir| make_group(dir))?;
    let flags = namespaces(&config);
    // For the child alone; it makes its other namespaces itself, after it has joined its group.
    unshare(flags & CloneFlags::CLONE_NEWPID)?;
    let code = match fork()? {
        ForkResult::Child => {
            exit_now(enter(bundle, &config, &groups, flags).map_or_else(|why| why, |never| match never {}))
        }
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => code,
            _ => 128,
        },
    };
    groups.iter().try_for_each(fs::remove_dir)?;
    Ok(code)
}

/// Version 1 takes no process into a group before that has processors and memory nodes of its own.
fn make_group(dir: &Path) -> io::Result<()> {
    let Some(parent) = dir.parent() else { return Ok(()) };
    if !parent.exists() {
        make_group(parent)?;
    }
    fs::create_dir(dir).or_else(|why| if why.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(why) })?;
    for name in ["cpuset.cpus", "cpuset.mems"] {
        let file = dir.join(name);
        if dir.join("tasks").exists() && file.exists() {
            fs::write(file, fs::read(parent.join(name))?)?;
        }
    }
    Ok(())
}

fn namespaces(config: &Value) -> CloneFlags {
    let listed = config["linux"]["namespaces"].as_array().into_iter().flatten();
    let flag = |namespace: &Value| match namespace["type"].as_str()? {
        "pid" => Some(CloneFlags::CLONE_NEWPID),
        "network" => Some(CloneFlags::CLONE_NEWNET),
        "ipc" => Some(CloneFlags::CLONE_NEWIPC),
        "uts" => Some(CloneFlags::CLONE_NEWUTS),
        "mount" => Some(CloneFlags::CLONE_NEWNS),
        "cgroup" => Some(CloneFlags::CLONE_NEWCGROUP),
        _ => None,
    };
    listed.filter_map(flag).collect()
}

/// Becomes the container's program; comes back with an exit code when that fails.
fn enter(
    bundle: &Path,
    config: &Value,
    groups: &[PathBuf],
    flags: CloneFlags,
) -> Result<std::convert::Infallible, i32> {
    let made = join(groups).and_then(|()| {
        unshare(flags - CloneFlags::CLONE_NEWPID)?;
        root(&bundle.join(config["root"]["path"].as_str().unwrap_or("rootfs")), config)
    });
    made.map_err(|why| {
        eprintln!("floor: {why}");
        126
    })?;
    let program = config["process"]["args"][0].as_str().unwrap_or_default();
    let program = CString::new(program).map_err(|_| 127)?;
    nix::unistd::execve(&program, &[&program], &[c"PATH=/bin"]).map_err(|_| 127)
}

/// By `0` in `tasks`, a single thread spares itself the grace period that a process id in `cgroup.procs` waits for.
fn join(groups: &[PathBuf]) -> io::Result<()> {
    groups.iter().try_for_each(|dir| {
        let tasks = dir.join("tasks");
        fs::write(if tasks.exists() { tasks } else { dir.join("cgroup.procs") }, "0")
    })
}

fn root(root: &Path, config: &Value) -> io::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    for one in config["mounts"].as_array().into_iter().flatten() {
        mount_one(root, one)?;
    }
    let dev = root.join("dev");
    for (name, minor) in [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)] {
        let made = mknod(&dev.join(name), SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), makedev(1, minor));
        made.or_else(|why| if why == nix::errno::Errno::EEXIST { Ok(()) } else { Err(why) })?;
    }
    for (number, name) in ["stdin", "stdout", "stderr"].iter().enumerate() {
        let made = symlink(format!("/proc/self/fd/{number}"), dev.join(name));
        made.or_else(|why| if why.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(why) })?;
    }
    std::env::set_current_dir(root)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    hide(config)
}

fn mount_one(root: &Path, one: &Value) -> io::Result<()> {
    let text = |name: &str| one[name].as_str().unwrap_or_default();
    let target = root.join(text("destination").trim_start_matches('/'));
    if !target.exists() {
        fs::create_dir_all(&target)?;
    }
    let (mut flags, mut data) = (MsFlags::empty(), Vec::new());
    for option in one["options"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match option {
            "nosuid" => flags |= MsFlags::MS_NOSUID,
            "nodev" => flags |= MsFlags::MS_NODEV,
            "noexec" => flags |= MsFlags::MS_NOEXEC,
            "ro" => flags |= MsFlags::MS_RDONLY,
            "strictatime" => flags |= MsFlags::MS_STRICTATIME,
            "relatime" => flags |= MsFlags::MS_RELATIME,
            other => data.push(other),
        }
    }
    // On version 1 a mount of type cgroup is one of each hierarchy; a tmpfs of its own stands for them.
    let kind = if text("type") == "cgroup" { "tmpfs" } else { text("type") };
    Ok(mount(Some(text("source")), &target, Some(kind), flags, Some(data.join(",").as_str()))?)
}

fn hide(config: &Value) -> io::Result<()> {
    let none = None::<&str>;
    let paths = |name: &str| {
        config["linux"][name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|path| fs::exists(path).unwrap_or(false))
    };
    for path in paths("maskedPaths") {
        if fs::metadata(path)?.is_dir() {
            mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::MS_RDONLY, none)?;
        } else {
            mount(Some("/dev/null"), path, none, MsFlags::MS_BIND, none)?;
        }
    }
    for path in paths("readonlyPaths") {
        mount(Some(path), path, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
        mount(none, path, none, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none)?;
    }
    Ok(())
}
