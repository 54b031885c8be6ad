//! What of a container comes from outside, and so is not in the images: criu is told of it by a name at the dump, and of
//! what stands for that name at the restore.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::message::Message;
use crate::cgroup::{Cgroup, Mounts};
use crate::config::{Config, NamespaceKind};
use crate::error::{Context, Result};
use crate::rootfs::mount::Request;
use crate::rootfs::options::Options;
use crate::rootfs::{Root, device, inside, is_cgroup};

/// A mount of something of the host. Its place in the container is its name, too.
#[derive(Debug, PartialEq, Eq)]
pub struct External {
    /// Absolute path in the container, as configured.
    pub place: PathBuf,
    /// What it shows.
    pub source: PathBuf,
}

/// The mounts of a container that show something of the host.
///
/// # Errors
/// When a bind mount has no source.
pub fn external(config: &Config, bundle: &Path, cgroup: &dyn Cgroup) -> Result<Vec<External>> {
    let mut found = Vec::new();
    let mut add = |place: &Path, source: &Path| {
        found.push(External { place: Path::new("/").join(inside(place)), source: source.into() });
    };
    for mount in &config.mounts {
        if is_cgroup(mount) {
            match cgroup.mounts() {
                Mounts::Unified(source) => add(&mount.destination, &source),
                Mounts::Legacy { binds, .. } => {
                    binds.iter().for_each(|bind| add(&mount.destination.join(&bind.name), &bind.source));
                }
            }
        } else if Options::parse(&mount.options).bind.is_some() {
            add(&mount.destination, Request::new(mount, "", bundle).source_path()?);
        }
    }
    if config.linux.has_user_namespace() {
        device::paths(&config.linux).iter().for_each(|path| add(path, path));
    }
    config.linux.masked_paths.iter().for_each(|path| add(path, Path::new("/dev/null")));
    Ok(found)
}

impl External {
    /// Tells criu of it at a dump: by the place where it is mounted, links resolved. `root` is the container's.
    /// What is not there needs no word; a masked directory is a file system of the container's own.
    ///
    /// # Errors
    /// When the place cannot be looked at.
    pub fn dump(&self, root: &Root, message: &mut Message) -> Result<()> {
        let Some(opened) = root.open_existing(&self.place)? else { return Ok(()) };
        let masked = self.source == Path::new("/dev/null");
        if masked && crate::rootfs::beneath::is_directory(opened.as_fd())? {
            return Ok(());
        }
        let link = format!("/proc/self/fd/{}", opened.as_raw_fd());
        let mounted = fs::read_link(link).doing(|| format!("find where `{}` is mounted", self.place.display()))?;
        let mut entry = Message::default();
        let (key, name) = (mounted.as_os_str().as_encoded_bytes(), self.place.as_os_str().as_encoded_bytes());
        message.message(23, entry.text(1, key).text(2, name));
        Ok(())
    }

    /// Tells criu at a restore what stands for its name.
    pub fn restore(&self, message: &mut Message) {
        let mut entry = Message::default();
        let (name, source) = (self.place.as_os_str().as_encoded_bytes(), self.source.as_os_str().as_encoded_bytes());
        message.message(23, entry.text(1, name).text(2, source));
    }
}

/// Where standard input, output and error of the init process lead: a pipe is replaced by ours at the restore.
#[derive(Debug)]
pub struct Streams(Vec<String>);

/// The name under which users of criu know this list.
const STREAMS: &str = "descriptors.json";

impl Streams {
    /// Those of process `pid`.
    pub fn of(pid: i32) -> Self {
        let lead = |number| fs::read_link(format!("/proc/{pid}/fd/{number}")).unwrap_or_default();
        Self((0..3).map(|number| lead(number).to_string_lossy().into_owned()).collect())
    }

    /// Writes the list to the images.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, images: &Path) -> Result<()> {
        let text = serde_json::to_vec(&self.0).doing(|| "write the list of streams".into())?;
        let path = images.join(STREAMS);
        fs::write(&path, text).doing(|| format!("write `{}`", path.display()))
    }

    /// Reads the list from the images.
    ///
    /// # Errors
    /// When it is not there.
    pub fn load(images: &Path) -> Result<Self> {
        let path = images.join(STREAMS);
        let doing = || format!("read `{}`", path.display());
        serde_json::from_slice(&fs::read(&path).doing(doing)?).map(Self).doing(doing)
    }

    /// Tells criu which of our streams stand for pipes of the container's.
    pub fn restore(&self, message: &mut Message) {
        for (number, lead) in self.0.iter().enumerate().filter(|(_, lead)| lead.starts_with("pipe:")) {
            inherit(message, lead, number as u64);
        }
    }
}

/// `key` is what the descriptor with this number in criu stands for.
fn inherit(message: &mut Message, key: &str, number: u64) {
    let mut entry = Message::default();
    message.message(27, entry.text(1, key).integer(2, number));
}

/// The kinds of namespaces that criu leaves alone when it is told to, and the name it is told.
const LEFT_ALONE: [(NamespaceKind, &str, &str); 2] =
    [(NamespaceKind::Network, "net", "extRootNetNS"), (NamespaceKind::Pid, "pid", "extRootPidNS")];

/// At a dump: the network and pid namespaces that the container joined are not its own.
///
/// # Errors
/// When one is gone.
pub fn dump_namespaces(config: &Config, pid: i32, message: &mut Message) -> Result<()> {
    for (kind, name, key) in LEFT_ALONE {
        if config.linux.namespace(kind).is_some_and(|namespace| namespace.path.is_some()) {
            let stat = rustix::fs::stat(format!("/proc/{pid}/ns/{name}"));
            let inode = stat.doing(|| format!("look at the {name} namespace"))?.st_ino;
            message.text(37, format!("{name}[{inode}]:{key}"));
        }
    }
    Ok(())
}

/// At a restore: the namespaces to join, which criu inherits or opens by their path.
pub fn restore_namespaces(config: &Config, joined: &[(NamespaceKind, OwnedFd)], message: &mut Message) {
    for (kind, fd) in joined {
        if let Some((_, _, key)) = LEFT_ALONE.iter().find(|(left, ..)| left == kind) {
            inherit(message, key, u64::from(fd.as_raw_fd().unsigned_abs()));
        } else if let Some(path) = config.linux.namespace(*kind).and_then(|namespace| namespace.path.as_deref()) {
            let mut entry = Message::default();
            message.message(39, entry.text(1, kind.proc_name()).text(2, path.as_os_str().as_encoded_bytes()));
        }
    }
}

/// The root of process `pid`.
///
/// # Errors
/// When it is gone.
pub fn root_of(pid: i32) -> Result<Root> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(format!("/proc/{pid}/root"), flags, Mode::empty());
    opened.map(Root::new).doing(|| "open the container's root".into())
}
