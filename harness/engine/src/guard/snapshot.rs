//! What the guard compares: facts about the host by subject, each with a name and a value.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use plimsoll_foreign::read;
use plimsoll_reports::model::Finding;

use super::{GuardSettings, canary, loops};
use crate::system::observer::own_descriptors;
use crate::system::proc::files::{about, if_there, read_text};
use crate::system::proc::mountinfo::Mount;
use crate::system::proc::stat::{Stat, command_line};
use crate::system::saved_mounts;

/// Names and values of one subject.
pub(super) type Facts = BTreeMap<String, String>;

/// All subjects, in the order in which they are reported.
pub(super) type Snapshot = Vec<(String, Facts)>;

/// Settings of the kernel that a container must not reach from its namespaces, as paths below `/proc/sys`.
const SYSCTLS: [&str; 5] =
    ["kernel/msgmax", "kernel/shmmax", "kernel/core_pattern", "net/ipv4/ip_forward", "fs/mqueue/msg_max"];

/// Names of subjects.
pub(crate) const DESCRIPTORS: &str = "file descriptors of the harness";
const MOUNTS: &str = "mounts outside of the check";

/// Looks at everything. The mounts are given, because they were looked at before the runtime's were taken down; the processes,
/// because they were waited for; the control groups of this check, because a search for them goes through all that the host has.
pub(super) fn take(
    settings: &GuardSettings,
    mounts: Snapshot,
    processes: &[Stat],
    cgroups: &[PathBuf],
) -> io::Result<Snapshot> {
    // First, so that no descriptor of a later step can be taken for a leftover.
    let descriptors = own_descriptors()?.into_iter().map(|(fd, target)| (fd.to_string(), target)).collect();
    let mut subjects = vec![
        ("processes".to_owned(), describe_processes(processes)?),
        ("cgroups".to_owned(), present(cgroups.iter().map(|dir| dir.display()))),
        ("state directory".to_owned(), state(settings)?),
        (DESCRIPTORS.to_owned(), descriptors),
        ("network interfaces".to_owned(), present(interfaces(&read_text("/proc/net/dev")?))),
        ("host name".to_owned(), host_name()?),
        ("canary tree".to_owned(), if_there(canary::describe(&settings.canary))?.unwrap_or_default()),
        ("devices".to_owned(), devices(Path::new("/dev"))?),
        ("loop devices".to_owned(), loop_devices(settings)?),
    ];
    // What is gone explains what comes after it.
    subjects.splice(1..1, mounts);
    for name in SYSCTLS.iter().copied().chain(settings.extra_sysctls.iter().map(String::as_str)) {
        subjects.push((format!("sysctl {name}"), sysctl(name)?));
    }
    Ok(subjects)
}

/// One finding for each fact that appeared, went or changed.
pub(super) fn compare(before: &Snapshot, after: &Snapshot) -> Vec<Finding> {
    let pairs = before.iter().zip(after);
    pairs.flat_map(|((what, before), (_, after))| differences(what, before, after)).collect()
}

fn differences(what: &str, before: &Facts, after: &Facts) -> Vec<Finding> {
    let finding = |observed| Finding { what: what.to_owned(), expected: "as before".to_owned(), observed };
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    let gone = gone.map(|(name, value)| finding(format!("gone: {}", fact(name, value))));
    let new_or_changed = after.iter().filter_map(|(name, value)| match before.get(name) {
        None => Some(finding(format!("new: {}", fact(name, value)))),
        Some(old) if old != value => Some(finding(format!("changed: {}, was {old}", fact(name, value)))),
        Some(_) => None,
    });
    gone.chain(new_or_changed).collect()
}

fn fact(name: &str, value: &str) -> String {
    if value.is_empty() { name.to_owned() } else { format!("{name}: {value}") }
}

/// Facts that say no more than that something is there.
fn present<T: ToString>(names: impl IntoIterator<Item = T>) -> Facts {
    names.into_iter().map(|name| (name.to_string(), String::new())).collect()
}

fn describe_processes(processes: &[Stat]) -> io::Result<Facts> {
    let describe = |stat: &Stat| {
        let name = format!("pid {} ({})", stat.pid, stat.comm);
        Ok((name, format!("state {}, parent {}: {}", stat.state, stat.ppid, command_line(stat)?)))
    };
    processes.iter().map(describe).collect()
}

/// The mounts that a container of the check may be made of, and the others: those no scenario leaves, however it breaks off.
pub(super) fn mounts(settings: &GuardSettings) -> io::Result<Snapshot> {
    let is_own = |point: &str| saved_mounts::is_of_container(Path::new(point), settings.place());
    let mut mounts = saved_mounts::mounts()?;
    without_options_of_the_host(&mut mounts, saved_mounts::devices_outside()?);
    let (own, others) = mounts.into_iter().partition(|mount| is_own(&mount.point));
    Ok(vec![("host mounts".to_owned(), counted(own)), (MOUNTS.to_owned(), counted(others))])
}

/// Where the place of a mount is removed, the kernel takes it down in every namespace: what another program of the host unmounted
/// and removed is gone here, too. That is put back into `after`.
pub(super) fn ignore_host_changes(before: &Snapshot, after: &mut Snapshot) -> io::Result<()> {
    let mut subjects = before.iter().zip(after);
    let Some(((_, before), (_, after))) = subjects.find(|((what, _), _)| what == MOUNTS) else { return Ok(()) };
    let mut gone = before.clone();
    gone.retain(|mount, _| !after.contains_key(mount));
    if gone.is_empty() {
        return Ok(());
    }
    let Some(mut outside) = saved_mounts::outside()? else { return Ok(()) };
    outside.iter_mut().for_each(|mount| {
        mount.tags.clear();
        mount.super_options.clear();
    });
    let outside = counted(outside);
    gone.retain(|mount, _| !outside.contains_key(mount));
    after.extend(gone);
    Ok(())
}

/// Options of the host's filesystems are compared with the rest of what is one on the whole host, by
/// [`KernelState`](super::KernelState): a check that runs beside the one that changes them has not done it.
fn without_options_of_the_host(mounts: &mut [Mount], outside: &BTreeSet<String>) {
    for mount in mounts.iter_mut().filter(|mount| mount.kind == "cgroup2" || outside.contains(&mount.device)) {
        mount.super_options.clear();
    }
}

fn counted(mounts: Vec<Mount>) -> Facts {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for mount in mounts {
        *count.entry(mount.description()).or_default() += 1;
    }
    // The same thing can be mounted twice at one place: then the number is the difference.
    let times = |count: usize| if count == 1 { String::new() } else { format!("{count} times") };
    count.into_iter().map(|(mount, count)| (mount, times(count))).collect()
}

fn state(settings: &GuardSettings) -> io::Result<Facts> {
    let mut found = Facts::new();
    collect_named(&settings.state_root, &settings.tag, &mut found)?;
    Ok(found)
}

/// The entries below a directory whose name contains the tag; what is in those is not looked at.
fn collect_named(dir: &Path, tag: &str, found: &mut Facts) -> io::Result<()> {
    let Some(entries) = if_there(fs::read_dir(dir).map_err(|why| about(dir.display(), &why)))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        // Checks that run beside this one make and remove their own.
        let Some(kind) = if_there(entry.file_type())? else { continue };
        if entry.file_name().to_string_lossy().contains(tag) {
            found.insert(entry.path().display().to_string(), String::new());
        } else if kind.is_dir() {
            collect_named(&entry.path(), tag, found)?;
        }
    }
    Ok(())
}

/// The names in `/proc/net/dev`.
fn interfaces(text: &str) -> Vec<&str> {
    text.lines().skip(2).filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim()).collect()
}

fn host_name() -> io::Result<Facts> {
    let name = nix::sys::utsname::uname()?;
    let lossy = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
    Ok(Facts::from([
        ("nodename".to_owned(), lossy(name.nodename())),
        ("domainname".to_owned(), lossy(name.domainname())),
    ]))
}

/// The members of `/dev` and of its directories, but for other mounts.
fn devices(dir: &Path) -> io::Result<Facts> {
    let device = fs::symlink_metadata(dir)?.dev();
    let mut found = Facts::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(status) = if_there(fs::symlink_metadata(&path))? else { continue };
        if status.dev() != device {
            continue;
        }
        if status.is_dir() {
            found.extend(devices(&path)?);
        }
        found.insert(path.display().to_string(), canary::node(&status));
    }
    Ok(found)
}

/// The loop devices that show a file of this check.
fn loop_devices(settings: &GuardSettings) -> io::Result<Facts> {
    let shown = loops::attached()?.into_values();
    Ok(present(shown.filter(|file| file.contains(&settings.tag)).map(|file| file.trim().to_owned())))
}

/// Without a fact where this kernel or this user cannot read the setting.
fn sysctl(name: &str) -> io::Result<Facts> {
    match read::kernel_bytes(Path::new("/proc/sys").join(name)) {
        Ok(value) => Ok(Facts::from([(name.to_owned(), String::from_utf8_lossy(&value).trim().to_owned())])),
        Err(why) if matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(Facts::new()),
        Err(why) => Err(about(name, &why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(pairs: &[(&str, &str)]) -> Facts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_new_gone_and_changed_is_told() {
        let before = vec![("things".to_owned(), facts(&[("a", "1"), ("b", ""), ("same", "2")]))];
        let after = vec![("things".to_owned(), facts(&[("a", "3"), ("c", ""), ("same", "2")]))];
        let observed: Vec<String> = compare(&before, &after).into_iter().map(|finding| finding.observed).collect();
        assert_eq!(observed, ["gone: b", "changed: a: 3, was 1", "new: c"]);
        assert!(compare(&before, &before).is_empty());
    }

    #[test]
    fn interfaces_are_named_without_their_counters() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes |bytes\n    lo: 0 0 0\n  eth0:1234 0\n";
        assert_eq!(interfaces(text), ["lo", "eth0"]);
    }

    #[test]
    fn state_is_found_at_any_depth_by_the_tag() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("deep/x-tag-1/tag")).unwrap();
        fs::write(root.path().join("tag-2.state"), "").unwrap();
        fs::create_dir(root.path().join("other")).unwrap();
        let mut found = Facts::new();
        collect_named(root.path(), "tag", &mut found).unwrap();
        let names: Vec<&str> = found.keys().filter_map(|path| path.rsplit('/').next()).collect();
        assert_eq!(names, ["x-tag-1", "tag-2.state"]);
        assert!(collect_named(&root.path().join("missing"), "tag", &mut found).is_ok());
    }

    #[test]
    fn a_setting_that_is_not_there_is_no_fact() {
        assert!(sysctl("kernel/no_such_setting").unwrap().is_empty());
        assert_eq!(sysctl("kernel/ostype").unwrap(), facts(&[("kernel/ostype", "Linux")]));
    }
}
