//! Cgroups as systemd sets them up: the mounts of the requested mode, with every controller delegated.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use plimsoll_foreign::read;

use super::step;
use crate::environment::Cgroups;

const ROOT: &str = "/sys/fs/cgroup";
const FLAGS: MsFlags =
    MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV).union(MsFlags::MS_NOEXEC).union(MsFlags::MS_RELATIME);

/// Where process 1 stands in version 2.
pub(super) const INIT: &str = "init.scope";
/// Where the command stands in version 2.
pub(super) const COMMAND: &str = "plimsoll.slice/command.scope";
/// What passes every controller on to the groups in it.
const SLICE: &str = "plimsoll.slice";

/// Mounts them, and takes process 1 to its place.
pub(super) fn set_up(mode: Cgroups) -> io::Result<()> {
    match mode {
        Cgroups::V2 => {
            mount_v2(Path::new(ROOT))?;
            delegate(Path::new(ROOT))
        }
        Cgroups::V1 => mount_v1(),
        Cgroups::Hybrid => {
            mount_v1()?;
            let unified = Path::new(ROOT).join("unified");
            fs::create_dir(&unified)?;
            mount_v2(&unified)
        }
    }?;
    // A host does not let programs write beside its hierarchies.
    if mode != Cgroups::V2 {
        let flags = FLAGS | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, ROOT, None::<&str>, flags, Some("mode=755"))?;
    }
    Ok(())
}

/// Takes this process to one of the groups that [`set_up`] has made; version 1 has none.
pub(super) fn enter(mode: Cgroups, group: &str) -> io::Result<()> {
    if mode != Cgroups::V2 {
        return Ok(());
    }
    step(&format!("enter the group {group}"), fs::write(Path::new(ROOT).join(group).join("cgroup.procs"), "0"))
}

fn mount_v2(place: &Path) -> io::Result<()> {
    let mounted = |options: &str| mount(Some("cgroup2"), place, Some("cgroup2"), FLAGS, Some(options));
    let mounted = mounted("nsdelegate,memory_recursiveprot").or_else(|why| match why {
        // Older kernels do not know the second option.
        Errno::EINVAL => mounted("nsdelegate"),
        other => Err(other),
    });
    step("mount cgroup2", mounted.map_err(Into::into))
}

#[expect(clippy::print_stderr, reason = "the console is all that process 1 has")]
fn delegate(root: &Path) -> io::Result<()> {
    let slice = root.join(SLICE);
    [root.join(INIT), slice.clone(), root.join(COMMAND)].iter().try_for_each(fs::create_dir)?;
    enter(Cgroups::V2, INIT)?;
    for group in [root, &slice] {
        let controllers = read::kernel(group.join("cgroup.controllers"))?;
        for name in controllers.split_whitespace() {
            // One at a time: one that the kernel refuses must not take the others with it.
            match fs::write(group.join("cgroup.subtree_control"), format!("+{name}")) {
                Ok(()) => {}
                Err(why) => eprintln!("plimsoll: controller {name} stays undelegated: {why}"),
            }
        }
    }
    Ok(())
}

fn mount_v1() -> io::Result<()> {
    mount(Some("tmpfs"), ROOT, Some("tmpfs"), FLAGS, Some("mode=755"))?;
    let known = read::kernel("/proc/cgroups")?;
    // Name, hierarchy, number of groups, enabled.
    let enabled = known.lines().filter(|line| !line.starts_with('#') && line.ends_with('1'));
    let names: Vec<&str> = enabled.filter_map(|line| line.split_whitespace().next()).collect();
    let mut done: Vec<&str> = Vec::new();
    for name in &names {
        if done.contains(name) {
            continue;
        }
        let together = PAIRS.iter().find(|pair| pair.contains(name) && pair.iter().all(|one| names.contains(one)));
        let controllers: Vec<&str> = together.map_or_else(|| vec![*name], |pair| pair.to_vec());
        mount_hierarchy(&controllers)?;
        done.extend(controllers);
    }
    mount_hierarchy(&["name=systemd"])
}

/// Controllers that systemd mounts together.
const PAIRS: [[&str; 2]; 2] = [["cpu", "cpuacct"], ["net_cls", "net_prio"]];

fn mount_hierarchy(controllers: &[&str]) -> io::Result<()> {
    let options = controllers.join(",");
    let directory = options.trim_start_matches("name=").to_owned();
    let place = Path::new(ROOT).join(&directory);
    fs::create_dir(&place)?;
    match mount(Some("cgroup"), &place, Some("cgroup"), FLAGS, Some(options.as_str())) {
        Ok(()) => {}
        // The kernel has it for version 2 alone.
        Err(Errno::EINVAL | Errno::ENOENT | Errno::EBUSY | Errno::EOPNOTSUPP) => return fs::remove_dir(&place),
        Err(why) => return step(&format!("mount the controllers {options}"), Err(why.into())),
    }
    let links = controllers.iter().filter(|_| controllers.len() > 1);
    links.into_iter().try_for_each(|name| symlink(&directory, Path::new(ROOT).join(name)))
}
