//! One entry of `mounts`: made detached, given its attributes, then attached at its place in the container.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, ResolveFlags, XattrFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags, MountFlags};

use super::beneath::{Root, inside, is_directory};
use super::detached::{attach, clone_tree};
use super::options::{Attributes, Options, attr};
use crate::config::Mount;
use crate::error::{Context, Error, Result};
use crate::sys::{self, MountAttr};

/// The longest value that fsconfig(2) takes; mount(2) takes a page of data.
const LONGEST_VALUE: usize = 255;

/// File systems whose instance others may share, so that `ro` is a matter of the mount alone.
const OF_THE_KERNEL: [&str; 7] = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"];

/// File systems whose files have labels of the policy's choice.
const UNLABELLED: [&str; 2] = ["proc", "sysfs"];

/// POSIX message queues. mq_overview(7).
const MQUEUE: &str = "mqueue";

/// An entry of `mounts`, ready to be made.
#[derive(Debug)]
pub struct Request<'config> {
    entry: &'config Mount,
    /// The options, sorted.
    pub options: Options,
    label: &'config str,
    source: PathBuf,
}

/// What is left to do about a mount when all of them are in place.
#[derive(Debug)]
pub struct Mounted {
    /// A tmpfs that becomes read-only last, since other mounts and devices need places in it.
    pub read_only_later: Option<OwnedFd>,
    /// The mount that hides the former root, when the destination is `/`.
    pub new_root: Option<OwnedFd>,
}

impl<'config> Request<'config> {
    /// The request that `entry` makes. A relative source is in the bundle.
    pub fn new(entry: &'config Mount, label: &'config str, bundle: &Path) -> Self {
        let source = bundle.join(entry.source.as_deref().unwrap_or_default());
        Self { entry, options: Options::parse(&entry.options), label, source }
    }

    /// The type, or nothing.
    pub fn kind(&self) -> &str {
        self.entry.kind.as_deref().unwrap_or_default()
    }

    /// The absolute path that a bind mount shows.
    ///
    /// # Errors
    /// When the entry has no source.
    pub fn source_path(&self) -> Result<&Path> {
        match &self.entry.source {
            Some(_) => Ok(&self.source),
            None => Err(Error::new("a bind mount needs a source")),
        }
    }

    /// Makes the mount at its destination below `root`. `source` is the detached tree of a bind mount that had to be
    /// cloned beforehand.
    ///
    /// # Errors
    /// When the kernel refuses one of the steps; the error names it.
    pub fn make(&self, root: &Root, source: Option<OwnedFd>) -> Result<Mounted> {
        self.make_at(root, source).doing(|| self.doing())
    }

    /// What an error is about.
    pub fn doing(&self) -> String {
        format!("mount `{}`", self.entry.destination.display())
    }

    fn make_at(&self, root: &Root, source: Option<OwnedFd>) -> Result<Mounted> {
        if self.options.remount {
            self.remount(root)?;
            return Ok(Mounted { read_only_later: None, new_root: None });
        }
        let mount = match self.options.bind {
            Some(_) => self.bind(source)?,
            None if source.is_some() => source.ok_or_else(|| Error::new("it is missing"))?,
            None if self.needs_mount2() => return self.make_classic(root),
            None => self.filesystem(root)?,
        };
        let target = self.target(root, mount.as_fd())?;
        attach(mount.as_fd(), target.as_fd())?;
        self.propagate(mount.as_fd())?;
        Ok(self.mounted(mount))
    }

    /// Whether it is a new procfs, which shows the processes that its maker is among.
    pub fn is_new_procfs(&self) -> bool {
        self.kind() == "proc" && self.options.bind.is_none() && !self.options.remount
    }

    /// The procfs, attached nowhere. Needs no path.
    ///
    /// # Errors
    /// When the kernel refuses, or it has options that only mount(2) takes.
    pub fn procfs(&self) -> Result<OwnedFd> {
        let destination = self.entry.destination.display();
        if self.needs_mount2() {
            return Err(Error::new(format!("mount `{destination}`: these options need a pid namespace that is new")));
        }
        self.superblock(None).doing(|| format!("mount `{destination}`"))
    }

    fn mounted(&self, mount: OwnedFd) -> Mounted {
        if inside(&self.entry.destination) == Path::new(".") {
            return Mounted { read_only_later: None, new_root: Some(mount) };
        }
        Mounted { read_only_later: self.read_only_later().then_some(mount), new_root: None }
    }

    fn read_only_later(&self) -> bool {
        self.kind() == "tmpfs" && self.options.bind.is_none() && self.options.attributes() & attr::RDONLY != 0
    }

    fn bind(&self, source: Option<OwnedFd>) -> Result<OwnedFd> {
        let tree = match source {
            Some(tree) => tree,
            None => clone_tree(self.source_path()?, self.options.bind == Some(true))?,
        };
        self.set_attributes(tree.as_fd())?;
        Ok(tree)
    }

    fn set_attributes(&self, mount: BorrowedFd<'_>) -> Result<()> {
        for (Attributes { set, clear }, recursive) in [(self.options.tree, true), (self.options.top, false)] {
            if set | clear != 0 {
                sys::mount_setattr(mount, &MountAttr { set, clear, recursive, ..MountAttr::default() })
                    .doing(|| "set its attributes".into())?;
            }
        }
        Ok(())
    }

    fn propagate(&self, mount: BorrowedFd<'_>) -> Result<()> {
        for &(propagation, recursive) in &self.options.propagation {
            sys::mount_setattr(mount, &MountAttr { propagation, recursive, ..MountAttr::default() })
                .doing(|| "set its propagation".into())?;
        }
        Ok(())
    }

    /// A mount of a new file system, attached nowhere, with what `root` is needed for.
    fn filesystem(&self, root: &Root) -> Result<OwnedFd> {
        let below = if self.takes_mode() { Some(root.make_directory(&self.entry.destination)?) } else { None };
        let mode = below.as_ref().map(mode_option).transpose()?;
        let mount = self.superblock(mode.as_deref())?;
        if self.kind() == MQUEUE && !self.label.is_empty() {
            self.label_root(mount.as_fd())?;
        }
        if self.options.copy_up {
            super::copy::copy_up(root, &self.entry.destination, mount.as_fd())?;
        }
        Ok(mount)
    }

    /// Whether it gets the mode of the directory that it hides: a tmpfs where no other one is asked for, to which the kernel would
    /// let everybody write.
    fn takes_mode(&self) -> bool {
        self.kind() == "tmpfs" && !self.options.data.iter().any(|word| word.starts_with("mode="))
    }

    fn superblock(&self, further: Option<&str>) -> Result<OwnedFd> {
        let context = rustix::mount::fsopen(self.kind(), FsOpenFlags::FSOPEN_CLOEXEC)
            .doing(|| format!("open the file system type `{}`", self.kind()))?;
        self.configure(context.as_fd(), further)?;
        rustix::mount::fsconfig_create(&context).map_err(|errno| explain(context.as_fd(), "make it", errno))?;
        let mut attributes = self.options.attributes();
        if self.read_only_later() {
            attributes &= !attr::RDONLY;
        }
        let attributes = u32::try_from(attributes).map(MountAttrFlags::from_bits_retain);
        let attributes = attributes.doing(|| "set its attributes".into())?;
        rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
            .map_err(|errno| explain(context.as_fd(), "mount it", errno))
    }

    fn configure(&self, context: BorrowedFd<'_>, further: Option<&str>) -> Result<()> {
        use rustix::mount::{fsconfig_set_flag, fsconfig_set_string};
        if let Some(source) = self.entry.source.as_deref().filter(|source| !source.is_empty()) {
            fsconfig_set_string(context, "source", source)
                .map_err(|errno| explain(context, "set its source", errno))?;
        }
        let read_only = self.options.attributes() & attr::RDONLY != 0 && !OF_THE_KERNEL.contains(&self.kind());
        let words = self.options.superblock.iter().chain(&self.options.data).map(String::as_str);
        let words = words.chain(read_only.then_some("ro")).chain(further);
        for word in words.filter(|word| !word.is_empty()) {
            let set = match word.split_once('=') {
                Some((key, value)) => fsconfig_set_string(context, key, value),
                None => fsconfig_set_flag(context, word),
            };
            set.map_err(|errno| explain(context, &format!("set its option `{word}`"), errno))?;
        }
        if self.label.is_empty() || UNLABELLED.contains(&self.kind()) || self.kind() == MQUEUE {
            return Ok(());
        }
        fsconfig_set_string(context, "context", self.label).map_err(|errno| explain(context, "set its label", errno))
    }

    /// The file system of an IPC namespace exists before it is mounted, so a label for all of it comes too late: its root
    /// gets it.
    fn label_root(&self, mount: BorrowedFd<'_>) -> Result<()> {
        use std::os::fd::AsRawFd;
        let root = format!("/proc/self/fd/{}", mount.as_raw_fd());
        rustix::fs::setxattr(root, "security.selinux", self.label.as_bytes(), XattrFlags::empty())
            .doing(|| "set its label".into())
    }

    /// Whether the options can only be said with mount(2): two flags, and values longer than fsconfig(2) takes.
    fn needs_mount2(&self) -> bool {
        self.options.classic != 0 || self.options.data.iter().any(|word| word.len() > LONGEST_VALUE)
    }

    /// mount(2) at the opened target, which is reached through its descriptor in the host's `/proc`.
    fn make_classic(&self, root: &Root) -> Result<Mounted> {
        use std::os::fd::AsRawFd;
        let target = root.make_directory(&self.entry.destination)?;
        let place = format!("/proc/self/fd/{}", target.as_raw_fd());
        let mode = if self.takes_mode() { Some(mode_option(&target)?) } else { None };
        let data = [self.options.data.as_slice(), mode.as_slice()].concat();
        let data = std::ffi::CString::new(data.join(",")).doing(|| "join its options".into())?;
        let flags = u32::try_from(self.options.classic).doing(|| "convert its flags".into())?;
        let source = self.entry.source.as_deref().unwrap_or("none");
        rustix::mount::mount(source, place, self.kind(), MountFlags::from_bits_retain(flags), data.as_c_str())
            .doing(|| "call mount(2)".into())?;
        let mount = root.open(&self.entry.destination)?;
        let words = [self.options.superblock.as_slice()].concat();
        if !words.is_empty() {
            reconfigure(mount.as_fd(), &words)?;
        }
        let set = self.options.attributes() & if self.read_only_later() { !attr::RDONLY } else { u64::MAX };
        let clear = if set & attr::ATIME == 0 { 0 } else { attr::ATIME };
        sys::mount_setattr(mount.as_fd(), &MountAttr { set, clear, ..MountAttr::default() })
            .doing(|| "set its attributes".into())?;
        self.propagate(mount.as_fd())?;
        Ok(self.mounted(mount))
    }

    /// Changes the mount that is there: the file system too, unless `bind` says that only the mount is meant.
    fn remount(&self, root: &Root) -> Result<()> {
        let mount = root.open(&self.entry.destination)?;
        let words = [self.options.superblock.as_slice(), self.options.data.as_slice()].concat();
        if self.options.bind.is_none() && !words.is_empty() {
            reconfigure(mount.as_fd(), &words)?;
        }
        self.set_attributes(mount.as_fd())?;
        self.propagate(mount.as_fd())
    }

    /// The place of the mount: a directory or a file as the mount is, made when it is missing.
    fn target(&self, root: &Root, mount: BorrowedFd<'_>) -> Result<OwnedFd> {
        let path = &self.entry.destination;
        if matches!(self.kind(), "proc" | "sysfs") && self.options.bind.is_none() {
            return target_without_links(root, path);
        }
        if is_directory(mount)? { root.make_directory(path) } else { root.make_file(path) }
    }
}

/// The kernel's own file systems are written to later under their names, so no link may lead elsewhere.
/// The option of a tmpfs that gives it the mode of this directory.
fn mode_option(below: &OwnedFd) -> Result<String> {
    let stat = rustix::fs::fstat(below).doing(|| "look at the directory".into())?;
    Ok(format!("mode={:o}", stat.st_mode & 0o7777))
}

fn target_without_links(root: &Root, path: &Path) -> Result<OwnedFd> {
    if let Ok(there) = root.open_with(path, OFlags::PATH | OFlags::DIRECTORY, ResolveFlags::NO_SYMLINKS) {
        return Ok(there);
    }
    root.make_directory(path)?;
    root.open_with(path, OFlags::PATH | OFlags::DIRECTORY, ResolveFlags::NO_SYMLINKS)
}

/// Changes the file system of an existing mount.
fn reconfigure(mount: BorrowedFd<'_>, words: &[String]) -> Result<()> {
    let flags = FsPickFlags::FSPICK_CLOEXEC | FsPickFlags::FSPICK_EMPTY_PATH;
    let context = rustix::mount::fspick(mount, "", flags).doing(|| "pick its file system".into())?;
    for word in words {
        let set = match word.split_once('=') {
            Some((key, value)) => rustix::mount::fsconfig_set_string(&context, key, value),
            None => rustix::mount::fsconfig_set_flag(&context, word.as_str()),
        };
        set.map_err(|errno| explain(context.as_fd(), &format!("set its option `{word}`"), errno))?;
    }
    rustix::mount::fsconfig_reconfigure(&context).map_err(|errno| explain(context.as_fd(), "change it", errno))
}

/// The error of a call on a file system context, with what the kernel wrote about it: it can be read from there.
fn explain(context: BorrowedFd<'_>, doing: &str, errno: rustix::io::Errno) -> Error {
    let mut said = Vec::new();
    let mut line = [0_u8; 512];
    while let Ok(length @ 1..) = rustix::io::read(context, &mut line) {
        said.push(String::from_utf8_lossy(&line[..length]).trim().to_owned());
    }
    if said.is_empty() {
        return Error::new(format!("{doing}: {errno}"));
    }
    Error::new(format!("{doing}: {errno} ({})", said.join("; ")))
}
