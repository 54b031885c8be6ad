//! The namespaces of a process: their ids, owners and parents. See namespaces(7) and ioctl_nsfs(2).

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fstat};
use serde::Serialize;

use crate::system::proc::files::{about, if_there};
use crate::system::proc::proc_dir::ProcDir;
use crate::system::sys;

/// One namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Namespace {
    /// Its inode number: two processes share a namespace when these are equal.
    pub inode: u64,
    /// The user namespace whose capabilities count in this one; `None` when it is outside of ours.
    pub owner: Option<u64>,
    /// The namespace above; `None` for one that has none in our sight, and for types that form no tree.
    pub parent: Option<u64>,
}

/// All namespaces of a process by their name in `/proc/PID/ns`.
pub(crate) fn of(process: &ProcDir) -> io::Result<BTreeMap<String, Namespace>> {
    let dir = process.open("ns", OFlag::O_RDONLY | OFlag::O_DIRECTORY)?;
    let mut found = BTreeMap::new();
    for name in process.names("ns")? {
        let opened = openat(&dir, name.as_str(), OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty());
        // `pid_for_children` leads nowhere until the new pid namespace has its init process.
        if let Some(namespace) = if_there(opened.map_err(io::Error::from))? {
            let described =
                describe(&name, namespace.as_fd()).map_err(|why| about(format!("namespace {name}"), &why))?;
            found.insert(name, described);
        }
    }
    Ok(found)
}

fn describe(name: &str, namespace: BorrowedFd<'_>) -> io::Result<Namespace> {
    let forms_tree = name.starts_with("user") || name.starts_with("pid");
    Ok(Namespace {
        inode: fstat(namespace)?.st_ino,
        owner: in_sight(sys::owning_user_namespace(namespace))?,
        parent: if forms_tree { in_sight(sys::parent_namespace(namespace))? } else { None },
    })
}

fn in_sight(related: io::Result<OwnedFd>) -> io::Result<Option<u64>> {
    match related {
        Ok(namespace) => Ok(Some(fstat(&namespace)?.st_ino)),
        Err(why) if why.raw_os_error() == Some(libc::EPERM) => Ok(None),
        Err(why) => Err(why),
    }
}

/// The inode number of a namespace of this process by its name in `/proc/self/ns`; `None` on a kernel without its type.
///
/// # Errors
/// When the file cannot be looked at.
pub fn own_namespace(name: &str) -> io::Result<Option<u64>> {
    let status = if_there(std::fs::metadata(Path::new("/proc/self/ns").join(name)))?;
    Ok(status.map(|status| status.ino()))
}
