//! Filesystems that exist once per kernel. A runtime that mounts one in its own namespace changes it for the whole host.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

pub(crate) static BINFMT_MISC: KernelFs = KernelFs::new(c"binfmt_misc");
pub(crate) static DEVTMPFS: KernelFs = KernelFs::new(c"devtmpfs");
pub(crate) static TRACEFS: KernelFs = KernelFs::new(c"tracefs");

/// What a process that is isolated has to keep open for them.
pub(crate) fn descriptors() -> Vec<BorrowedFd<'static>> {
    let opened = |fs: &'static KernelFs| Some(fs.root.get()?.as_ref()?.as_fd());
    [&BINFMT_MISC, &DEVTMPFS, &TRACEFS].into_iter().filter_map(opened).collect()
}

/// A filesystem that the kernel has once. It is mounted, in no place, when it is first looked at, and stays so: the processes of
/// all checks inherit that, since the kernel takes its time to let one go.
#[derive(Debug)]
pub(crate) struct KernelFs {
    kind: &'static CStr,
    root: OnceLock<Option<OwnedFd>>,
}

impl KernelFs {
    const fn new(kind: &'static CStr) -> Self {
        Self { kind, root: OnceLock::new() }
    }

    /// The path to its root. Nothing on a kernel without the system calls or without the filesystem, and for whoever may not
    /// mount it.
    pub(crate) fn root(&self) -> Option<PathBuf> {
        let root = self.root.get_or_init(|| mount(self.kind).ok()).as_ref()?;
        Some(PathBuf::from(format!("/proc/self/fd/{}", root.as_raw_fd())))
    }

    /// As [`KernelFs::root`], where it has been there before.
    pub(crate) fn expected(&self) -> io::Result<PathBuf> {
        self.root().ok_or_else(|| io::Error::other(format!("{} cannot be mounted", self.kind.to_string_lossy())))
    }
}

fn mount(kind: &CStr) -> io::Result<OwnedFd> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NOSUID)?)
}
