//! Namespaces that are joined: opened and recognised before anything is made.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use crate::config::{Linux, NamespaceKind};
use crate::error::{Context, Error, Result};
use crate::sys;

/// Opens the namespaces with a path, in the order in which they are joined.
///
/// # Errors
/// When one does not exist, or is of another kind than it should be.
pub fn open_joined(linux: &Linux) -> Result<Vec<(NamespaceKind, OwnedFd)>> {
    let mut joined = Vec::new();
    for kind in NamespaceKind::ALL {
        let Some(path) = linux.namespace(kind).and_then(|namespace| namespace.path.as_deref()) else { continue };
        let doing = || format!("linux.namespaces: join the {} namespace `{}`", kind.name(), path.display());
        let fd: OwnedFd = File::open(path).doing(doing)?.into();
        let found = sys::namespace_kind(fd.as_fd()).map_err(|_| Error::new("it is no namespace")).doing(doing)?;
        if found != kind.clone_flag() {
            return Err(Error::new("it is a namespace of another type")).doing(doing);
        }
        joined.push((kind, fd));
    }
    Ok(joined)
}

/// The `CLONE_NEW…` flags of the namespaces in which process `pid` and this one differ.
///
/// # Errors
/// When the process is gone.
pub fn differing(pid: i32) -> Result<u64> {
    let mut flags = 0;
    for kind in NamespaceKind::ALL {
        let of = |process: &str| rustix::fs::stat(format!("/proc/{process}/ns/{}", kind.proc_name()));
        let (theirs, ours) = match (of(&pid.to_string()), of("self")) {
            // A kernel without this kind of namespace.
            (Err(rustix::io::Errno::NOENT), Err(rustix::io::Errno::NOENT)) => continue,
            (theirs, ours) => (theirs, ours),
        };
        let doing = || format!("look at the {} namespace of process {pid}", kind.name());
        if theirs.doing(doing)?.st_ino != ours.doing(doing)?.st_ino {
            flags |= kind.clone_flag();
        }
    }
    Ok(flags)
}
