//! `linux.sysctl`. A parameter is taken only when a namespace of the container holds it; anything else would change
//! the host. Written through a handle of `/proc` that was verified to be procfs.

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

use crate::config::{Linux, NamespaceKind};
use crate::error::{Error, Result};
use crate::procfs;

/// The parameters of System V IPC; those of POSIX queues are all below `fs.mqueue`.
const IPC: [&str; 12] = [
    "kernel/auto_msgmni",
    "kernel/msg_next_id",
    "kernel/msgmax",
    "kernel/msgmnb",
    "kernel/msgmni",
    "kernel/sem",
    "kernel/sem_next_id",
    "kernel/shm_next_id",
    "kernel/shm_rmid_forced",
    "kernel/shmall",
    "kernel/shmmax",
    "kernel/shmmni",
];

/// Checks that a namespace of the container holds the parameter `name`.
///
/// # Errors
/// When it is the host's.
pub fn check(name: &str, linux: &Linux) -> Result<()> {
    let path = path(name);
    let at = format!("linux.sysctl.{name}");
    let plain = path.components().all(|component| matches!(component, std::path::Component::Normal(_)));
    let Some(kind) = holder(&path).filter(|_| plain) else {
        return Err(Error::new(format!("{at}: no namespace holds this parameter; it would be changed for the host")));
    };
    if linux.namespace(kind).is_some() {
        return Ok(());
    }
    Err(Error::new(format!("{at}: needs an entry of type {} in linux.namespaces", kind.name())))
}

/// The kind of namespace that holds a parameter.
fn holder(path: &Path) -> Option<NamespaceKind> {
    if path.starts_with("net") {
        Some(NamespaceKind::Network)
    } else if path.starts_with("fs/mqueue") || IPC.iter().any(|name| path == Path::new(name)) {
        Some(NamespaceKind::Ipc)
    } else if path == Path::new("kernel/domainname") || path == Path::new("kernel/hostname") {
        Some(NamespaceKind::Uts)
    } else if path.starts_with("user") {
        Some(NamespaceKind::User)
    } else {
        None
    }
}

/// The file of a parameter below `/proc/sys`. As sysctl(8): the separator is whichever of `.` and `/` comes first, and
/// the other one stands for itself, so that an interface may have a dot in its name.
fn path(name: &str) -> PathBuf {
    let dotted = name.find(['.', '/']).is_none_or(|at| name.as_bytes()[at] == b'.');
    let swap = |letter| match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    if dotted { name.chars().map(swap).collect::<String>().into() } else { name.into() }
}

/// Writes all parameters. `proc` is the root of a procfs; the namespaces of this process decide what is changed.
///
/// # Errors
/// When a parameter does not exist or its value is refused.
pub fn write_all(proc: BorrowedFd<'_>, linux: &Linux) -> Result<()> {
    for (name, value) in &linux.sysctl {
        procfs::write(proc, &Path::new("sys").join(path(name)), value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_as_for_sysctl_8() {
        assert_eq!(path("net.ipv4.conf.eth0/100.forwarding"), Path::new("net/ipv4/conf/eth0.100/forwarding"));
        assert_eq!(path("net/ipv4/conf/eth0.100/forwarding"), Path::new("net/ipv4/conf/eth0.100/forwarding"));
    }

    #[test]
    fn what_no_namespace_holds_is_refused() {
        let linux: Linux = serde_json::from_str(r#"{"namespaces":[{"type":"network"}]}"#).unwrap();
        assert!(check("net.core.somaxconn", &linux).is_ok());
        for name in ["kernel.shmmax", "vm.swappiness", "net/../vm/swappiness", "kernel.hostname"] {
            assert!(check(name, &linux).is_err(), "{name}");
        }
    }
}
