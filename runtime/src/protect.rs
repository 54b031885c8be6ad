//! The runtime's own binary, kept from containers (CVE-2019-5736).
//!
//! Until it executes the program, the container's init process is a copy of the runtime, and `/proc/self/exe` leads to
//! the runtime's binary on the host. An image can make its program, its interpreter, or a script's, be that link. Who
//! then opens `/proc/<pid>/exe` of the process holds the binary, and can write it once nobody executes it.
//!
//! A copy that is not dumpable does not let anybody open that file who lacks `CAP_SYS_PTRACE` over it. What is left is the
//! binary executed anew within the container: it starts dumpable, and becomes hidden a moment later. Two things close that gap.
//! * Executed where its own path leads elsewhere, as in a container, the runtime ends before it does anything
//!   ([`refuse_in_container`]). It is static, so no library of the image runs in it. In a pid namespace of its own the
//!   container has no other process that could look on.
//! * Where others may look on, that is for `exec`, and for a pid namespace that is shared, the runtime first executes
//!   itself from an overlay without a writable layer, or where the kernel has none from a sealed copy in memory ([`seal`]).
//!   What can be opened then is a file that everybody may read, that nobody can write, and that lies on no file system of
//!   the host. The last counts: with `CAP_DAC_READ_SEARCH` whoever has any file opens all others of its file system by
//!   their handles, open_by_handle_at(2); an overlay knows no handles.
//!
//! So the usual start, a container with a pid namespace of its own, needs no second execution.

use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, SealFlags, StatVfsMountFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags};
use rustix::process::DumpableBehavior;

use crate::error::{Context, Error, Result};
use crate::rootfs::detached::new_tmpfs;
use crate::rootfs::mask::set_read_only;
use crate::sys;

const SELF: &str = "/proc/self/exe";

/// Refuses to go on when this program was reached by another way than its path; and hides it from then on.
///
/// # Errors
/// When the path of the program leads to another file.
pub fn refuse_in_container() -> Result<()> {
    let Ok(own) = rustix::fs::stat(SELF) else { return Ok(()) };
    if is_sealed()? {
        // Others will look into a process that has this memory.
        sys::scrub_freed_memory();
    } else {
        let path = rustix::fs::readlink(SELF, Vec::new()).doing(|| format!("read `{SELF}`"))?;
        let named = rustix::fs::stat(path.as_c_str());
        if named.is_ok_and(|named| (named.st_dev, named.st_ino) != (own.st_dev, own.st_ino)) || named.is_err() {
            return Err(Error::new("the runtime's binary is not at its path: it was executed from within a container"));
        }
    }
    if !rustix::process::geteuid().is_root() {
        // The kernel gives the files of a hidden process to root, and id maps could not be written any more.
        return Ok(());
    }
    let hidden = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    hidden.doing(|| "hide the runtime's memory".into())
}

/// Makes sure that nobody can write the binary that this process executes; executes it anew if need be.
///
/// # Errors
/// When the clone or the copy cannot be made or executed.
pub fn seal() -> Result<()> {
    let own = Own::look()?;
    if own.is_apart() {
        return Ok(());
    }
    let binary = match read_only_overlay().or_else(|_| sealed_copy()) {
        Ok(binary) => binary,
        // A host may refuse programs in memory as well: `vm.memfd_noexec`.
        Err(_) if own.read_only => return Ok(()),
        Err(_) => read_only_clone()?,
    };
    let copying = || "copy the arguments".to_owned();
    let words = std::fs::read("/proc/self/cmdline").doing(copying)?;
    let args = words.split_inclusive(|byte| *byte == 0).map(|word| CString::from_vec_with_nul(word.to_vec()));
    let args: Vec<_> = args.collect::<std::result::Result<_, _>>().doing(copying)?;
    let env = std::env::vars_os().map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        CString::new(name.into_vec())
    });
    let env: Vec<_> = env.collect::<std::result::Result<_, _>>().doing(copying)?;
    Err(sys::fexecve(binary.as_fd(), &args, &env)).doing(|| "execute the runtime from a sealed binary".into())
}

/// What this process executes.
#[derive(Debug)]
struct Own {
    read_only: bool,
    overlay: bool,
    sealed_memory: bool,
}

impl Own {
    fn look() -> Result<Self> {
        let looking = || format!("look at `{SELF}`");
        let own = rustix::fs::open(SELF, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).doing(looking)?;
        Ok(Self {
            read_only: rustix::fs::fstatvfs(&own).doing(looking)?.f_flag.contains(StatVfsMountFlags::RDONLY),
            overlay: rustix::fs::fstatfs(&own).doing(looking)?.f_type == OVERLAYFS_SUPER_MAGIC,
            sealed_memory: rustix::fs::fcntl_get_seals(&own).is_ok_and(|seals| seals.contains(SealFlags::WRITE)),
        })
    }

    /// Whether it can neither be written nor lead to other files.
    fn is_apart(&self) -> bool {
        self.sealed_memory || self.overlay && self.read_only
    }
}

/// statfs(2).
const OVERLAYFS_SUPER_MAGIC: rustix::fs::FsWord = 0x794c_7630;

fn is_sealed() -> Result<bool> {
    let own = Own::look()?;
    Ok(own.is_apart() || own.read_only)
}

/// The binary as an overlay of its directory shows it, which is attached nowhere and has no layer that could be written.
fn read_only_overlay() -> Result<OwnedFd> {
    let making = || "make an overlay of the runtime's directory".to_owned();
    let path = std::fs::read_link(SELF).doing(making)?;
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::new(format!("`{}` is in no directory", path.display())));
    };
    let open = |path: &Path| rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let dir = open(dir).doing(making)?;
    // The kernel wants two layers where none is writable.
    let empty = new_tmpfs(&[], 0)?;
    let layer = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
    let context = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).doing(making)?;
    let layers = format!("{}:{}", layer(&empty), layer(&dir));
    rustix::mount::fsconfig_set_string(&context, "lowerdir", layers.as_str()).doing(making)?;
    rustix::mount::fsconfig_create(&context).doing(making)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY | MountAttrFlags::MOUNT_ATTR_NODEV;
    let overlay = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).doing(making)?;
    rustix::fs::openat(&overlay, name, OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty()).doing(making)
}

fn read_only_clone() -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let clone = rustix::mount::open_tree(CWD, SELF, flags).doing(|| "clone the mount of the runtime".into())?;
    set_read_only(clone.as_fd(), false)?;
    Ok(clone)
}

fn sealed_copy() -> Result<OwnedFd> {
    let copying = || "copy the runtime's binary".to_owned();
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = match rustix::fs::memfd_create("runtime", flags | MemfdFlags::EXEC) {
        // A kernel before 6.3, which lets every such file be executed.
        Err(Errno::INVAL) => rustix::fs::memfd_create("runtime", flags),
        made => made,
    };
    let mut copy = std::fs::File::from(memory.doing(copying)?);
    let mut own = std::fs::File::open(SELF).doing(copying)?;
    std::io::copy(&mut own, &mut copy).doing(copying)?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&copy, seals).doing(copying)?;
    Ok(copy.into())
}
