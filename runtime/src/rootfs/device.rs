//! Device nodes and the links in `/dev`. Specification: `config-linux.md`, Devices, Default Devices;
//! `runtime-linux.md`, Dev symbolic links.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::{DupFlags, Errno};
use rustix::mount::{MountPropagationFlags, OpenTreeFlags};
use rustix::process::{WaitId, WaitIdOptions};

use super::beneath::{Entry, Root, inside};
use super::detached;
use super::options::permissions;
use crate::config::{Device, DeviceKind, Linux, NamespaceKind};
use crate::error::{Context, Error, Result};
use crate::sys::{self, CloneArgs, ClonedAs};

/// The devices that every container has: path, major, minor.
const DEFAULT: [(&str, u32, u32); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];

/// The links that every container has.
const LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
];

/// How a device comes into the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// mknod(2).
    Node,
    /// A read-only bind mount of the host's node at the same path: a user namespace may not make nodes.
    Bind,
}

struct Node {
    path: PathBuf,
    kind: FileType,
    number: u64,
    mode: Mode,
    uid: u32,
    gid: u32,
}

impl Node {
    fn configured(device: &Device) -> Self {
        let kind = match device.kind {
            DeviceKind::Block => FileType::BlockDevice,
            DeviceKind::Character | DeviceKind::Unbuffered => FileType::CharacterDevice,
            DeviceKind::Fifo => FileType::Fifo,
        };
        let number = match kind {
            FileType::Fifo => 0,
            _ => rustix::fs::makedev(device.major.unwrap_or(0), device.minor.unwrap_or(0)),
        };
        let mode = permissions(device.file_mode.unwrap_or(0o666));
        let (uid, gid) = (device.uid.unwrap_or(0), device.gid.unwrap_or(0));
        Self { path: device.path.clone(), kind, number, mode, uid, gid }
    }

    fn default(path: &str, major: u32, minor: u32) -> Self {
        let number = rustix::fs::makedev(major, minor);
        let mode = Mode::from_raw_mode(0o666);
        Self { path: path.into(), kind: FileType::CharacterDevice, number, mode, uid: 0, gid: 0 }
    }
}

/// Makes the configured devices, the default ones, and the links. `prepared` are the configured ones as detached
/// mounts, if they had to be made beforehand.
///
/// # Errors
/// When something else lies at one of the places, or the kernel refuses.
pub fn make_all(root: &Root, devices: &[Device], mechanism: Mechanism, prepared: &[OwnedFd]) -> Result<()> {
    for (index, device) in devices.iter().enumerate() {
        let node = Node::configured(device);
        match prepared.get(index) {
            Some(mount) => place(root, &node, mount.as_fd())?,
            None => root
                .entry(&node.path)
                .and_then(|entry| make_at(root, &entry, &node, mechanism))
                .doing(|| format!("make the device `{}`", node.path.display()))?,
        }
    }
    let configured = |path: &str| devices.iter().any(|device| inside(&device.path) == inside(Path::new(path)));
    let dev = Rc::new(root.make_directory(Path::new("/dev"))?);
    let entry = |path: &str| Entry { parent: Rc::clone(&dev), name: path.trim_start_matches("/dev/").into() };
    for (path, major, minor) in DEFAULT.into_iter().filter(|(path, ..)| !configured(path)) {
        let made = make_at(root, &entry(path), &Node::default(path, major, minor), mechanism);
        made.doing(|| format!("make the device `{path}`"))?;
    }
    for (path, target) in LINKS.into_iter().filter(|(path, _)| !configured(path)) {
        link(&entry(path), target).doing(|| format!("make the link `{path}`"))?;
    }
    Ok(())
}

/// Where the configured devices and the default ones are.
pub fn paths(linux: &Linux) -> Vec<PathBuf> {
    let default = DEFAULT.iter().map(|(path, ..)| PathBuf::from(path));
    linux.devices.iter().map(|device| device.path.clone()).chain(default).collect()
}

/// Makes the configured devices for a user namespace, which may not make them itself: as nodes of a tmpfs that the
/// container never sees, each cloned as a mount of its own, with the owner that is meant in the container.
///
/// # Errors
/// When a node cannot be made.
pub fn prepare(linux: &Linux) -> Result<Vec<OwnedFd>> {
    if linux.devices.is_empty() {
        return Ok(Vec::new());
    }
    let nursery = detached::new_tmpfs(&[("mode", "755")], 0)?;
    for (index, device) in linux.devices.iter().enumerate() {
        make_in(&nursery, index, device, linux).doing(|| format!("make the device `{}`", device.path.display()))?;
    }
    let cloned: rustix::io::Result<_> = (0..linux.devices.len()).map(|index| clone_node(&nursery, index)).collect();
    match cloned {
        Err(Errno::INVAL) => cloned_elsewhere(&nursery, linux.devices.len()),
        cloned => cloned.doing(|| "clone the devices".into()),
    }
}

fn make_in(nursery: &OwnedFd, index: usize, device: &Device, linux: &Linux) -> Result<()> {
    let mut node = Node::configured(device);
    let unmapped = || Error::new("its owner is not mapped into the user namespace");
    node.uid = linux.host_uid(node.uid).ok_or_else(unmapped)?;
    node.gid = linux.host_gid(node.gid).ok_or_else(unmapped)?;
    let parent = Rc::new(nursery.try_clone().doing(|| "hold the directory".into())?);
    let entry = Entry { parent, name: index.to_string().into() };
    create(&entry, &node)?;
    // The runtime has the umask of its caller.
    rustix::fs::chmodat(&entry.parent, &entry.name, node.mode, AtFlags::empty()).doing(|| "set its mode".into())
}

fn clone_node(nursery: &OwnedFd, index: usize) -> rustix::io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    rustix::mount::open_tree(nursery, index.to_string(), flags)
}

/// Kernels before 6.15 clone nothing of what is attached nowhere. So a process with a mount namespace of its own attaches
/// it there, and puts the clones in place of descriptors that it shares with this one.
fn cloned_elsewhere(nursery: &OwnedFd, count: usize) -> Result<Vec<OwnedFd>> {
    let doing = || "clone the devices in another mount namespace".to_owned();
    let places: std::io::Result<Vec<OwnedFd>> = (0..count).map(|_| nursery.try_clone()).collect();
    let mut places = places.doing(doing)?;
    let flags = NamespaceKind::Mount.clone_flag() | u64::from(libc::CLONE_FILES.unsigned_abs());
    match sys::clone3(CloneArgs { flags, cgroup: None }).doing(doing)? {
        ClonedAs::Child => sys::exit_now(i32::from(fill(nursery, &mut places).is_err())),
        ClonedAs::Parent { pidfd, .. } => {
            let ended = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED).doing(doing)?;
            match ended.and_then(|status| status.exit_status()) {
                Some(0) => Ok(places),
                _ => Err(Error::new("the kernel refuses it")).doing(doing),
            }
        }
    }
}

fn fill(nursery: &OwnedFd, places: &mut [OwnedFd]) -> Result<()> {
    let doing = || "clone a device".to_owned();
    // Nothing of this may spread to the host.
    let alone = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", alone).doing(doing)?;
    let root = rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).doing(doing)?;
    detached::attach(nursery.as_fd(), root.as_fd())?;
    for (index, place) in places.iter_mut().enumerate() {
        let clone = clone_node(nursery, index).doing(doing)?;
        rustix::io::dup3(&clone, place, DupFlags::CLOEXEC).doing(doing)?;
    }
    Ok(())
}

fn place(root: &Root, node: &Node, device: BorrowedFd<'_>) -> Result<()> {
    let placed = root
        .entry(&node.path)
        .and_then(|entry| is_there(&entry, node, Mechanism::Bind))
        .and_then(|there| if there { Ok(()) } else { detached::attach(device, root.make_file(&node.path)?.as_fd()) });
    placed.doing(|| format!("place the device `{}`", node.path.display()))
}

fn make_at(root: &Root, entry: &Entry, node: &Node, mechanism: Mechanism) -> Result<()> {
    if mechanism == Mechanism::Node || node.kind == FileType::Fifo {
        let made = create(entry, node);
        let taken = made.as_ref().is_err_and(|error| error.errno() == Some(libc::EEXIST));
        return if taken && is_there(entry, node, mechanism)? { Ok(()) } else { made };
    }
    if is_there(entry, node, mechanism)? {
        return Ok(());
    }
    let device = detached::clone_node(&node.path)?;
    detached::attach(device.as_fd(), root.make_file(&node.path)?.as_fd())
}

fn create(entry: &Entry, node: &Node) -> Result<()> {
    rustix::fs::mknodat(&entry.parent, &entry.name, node.kind, node.mode, node.number).doing(|| "call mknod".into())?;
    if (node.uid, node.gid) != (0, 0) {
        let owner = (Some(Uid::from_raw(node.uid)), Some(Gid::from_raw(node.gid)));
        rustix::fs::chownat(&entry.parent, &entry.name, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)
            .doing(|| "set its owner".into())?;
    }
    Ok(())
}

/// Whether the very device is there already. An empty file is the place of one to be bound: where `/dev` is the image's own, an
/// earlier start has left it.
fn is_there(entry: &Entry, node: &Node, mechanism: Mechanism) -> Result<bool> {
    let stat = match rustix::fs::statat(&entry.parent, &entry.name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(false),
        stat => stat.doing(|| "look at what is there".into())?,
    };
    let kind = FileType::from_raw_mode(stat.st_mode);
    if mechanism == Mechanism::Bind && kind == FileType::RegularFile && stat.st_size == 0 {
        return Ok(false);
    }
    let same = kind == node.kind && stat.st_rdev == node.number;
    if same { Ok(true) } else { Err(Error::new("another file is at this path")) }
}

/// Makes a link; a link or file that an image holds there is replaced, a device is left alone.
fn link(entry: &Entry, target: &str) -> Result<()> {
    let making = || "make it".to_owned();
    match rustix::fs::symlinkat(target, &entry.parent, &entry.name) {
        Err(Errno::EXIST) => {}
        made => return made.doing(making),
    }
    let stat = rustix::fs::statat(&entry.parent, &entry.name, AtFlags::SYMLINK_NOFOLLOW).doing(making)?;
    if !matches!(FileType::from_raw_mode(stat.st_mode), FileType::Symlink | FileType::RegularFile) {
        return Ok(());
    }
    let same = rustix::fs::readlinkat(&entry.parent, &entry.name, Vec::new())
        .is_ok_and(|to| to.to_bytes() == target.as_bytes());
    if same {
        return Ok(());
    }
    rustix::fs::unlinkat(&entry.parent, &entry.name, AtFlags::empty()).doing(|| "remove what is there".into())?;
    rustix::fs::symlinkat(target, &entry.parent, &entry.name).doing(making)
}
