//! A `/dev` of the check's own: the same devices as that of the host, on a tmpfs that nobody else sees. A runtime that
//! removes a node, or changes its owner or mode, harms no other check and not the host, and the guard sees who did it.
//! Nodes that every host has get the mode that they have everywhere, so a host where one was changed judges no runtime.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, SFlag, mknod};

use crate::system::proc::files::{about, if_there};
use crate::system::saved_mounts;

const DEV: &str = "/dev";

/// Modes of nodes that a host has in one way only.
const STANDARD: [(&str, u32); 7] = [
    ("full", 0o666),
    ("null", 0o666),
    ("ptmx", 0o666),
    ("random", 0o666),
    ("tty", 0o666),
    ("urandom", 0o666),
    ("zero", 0o666),
];

/// Where terminals are.
const TERMINALS: &str = "pts";

/// What consoles, and nodes that the kernel has ready by the dozen, begin with: no runtime needs them.
const LEFT_OUT: [&str; 4] = ["ttyS", "vcs", "ram", "nbd"];

/// One member of `/dev`, by its path below that.
#[derive(Debug)]
struct Member {
    path: PathBuf,
    kind: Kind,
    mode: u32,
    owner: (u32, u32),
}

#[derive(Debug)]
enum Kind {
    Directory,
    /// Something else is mounted there.
    Mounted,
    /// The terminals of the host are mounted there.
    Terminals,
    Link(PathBuf),
    Character(u64),
    Block(u64),
}

/// Mounts it. `scratch` is a directory on a filesystem of the run, made if need be. Whoever may not make devices goes on
/// with the `/dev` of the host.
///
/// # Errors
/// When the kernel refuses a mount.
pub(crate) fn mount_private(scratch: &Path) -> io::Result<()> {
    if let Err(why) = fs::create_dir(scratch)
        && why.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(why);
    }
    mount(Some("dev"), scratch, Some("tmpfs"), MsFlags::MS_NOSUID, Some("mode=755,size=1m"))?;
    for member in members()? {
        match make(member, &scratch.join(&member.path)) {
            Ok(()) => {}
            Err(why) if why.raw_os_error() == Some(libc::EPERM) => return Ok(nix::mount::umount(scratch)?),
            Err(why) => return Err(about(member.path.display(), &why)),
        }
    }
    Ok(mount(Some(scratch), DEV, None::<&str>, MsFlags::MS_MOVE, None::<&str>)?)
}

/// Terminals of the check's own: those of the user are out of reach.
fn own_terminals(at: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    Ok(mount(Some("devpts"), at, Some("devpts"), flags, Some("newinstance,ptmxmode=0666,mode=620,gid=5"))?)
}

fn make(member: &Member, at: &Path) -> io::Result<()> {
    let node = |kind, device| mknod(at, kind, Mode::empty(), device);
    match &member.kind {
        Kind::Directory => fs::create_dir(at)?,
        Kind::Mounted => {
            fs::create_dir(at)?;
            let there = Path::new(DEV).join(&member.path);
            return Ok(mount(Some(&there), at, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?);
        }
        Kind::Terminals => {
            fs::create_dir(at)?;
            return own_terminals(at);
        }
        Kind::Link(target) => return symlink(target, at),
        Kind::Character(device) => node(SFlag::S_IFCHR, *device)?,
        Kind::Block(device) => node(SFlag::S_IFBLK, *device)?,
    }
    if member.owner != (0, 0) {
        chown(at, Some(member.owner.0), Some(member.owner.1))?;
    }
    fs::set_permissions(at, Permissions::from_mode(member.mode))
}

/// Lists the host's `/dev`, so that the processes of all checks inherit the list.
///
/// # Errors
/// When it cannot be listed.
pub(crate) fn list_members() -> io::Result<()> {
    members().map(drop)
}

/// The members of the host's `/dev`, parents first.
fn members() -> io::Result<&'static [Member]> {
    static MEMBERS: OnceLock<Vec<Member>> = OnceLock::new();
    if let Some(members) = MEMBERS.get() {
        return Ok(members);
    }
    let mounted: Vec<PathBuf> = saved_mounts::mounts()?.into_iter().map(|mount| PathBuf::from(mount.point)).collect();
    let mut found = Vec::new();
    collect(Path::new(DEV), &mounted, &mut found)?;
    Ok(MEMBERS.get_or_init(|| found))
}

fn collect(dir: &Path, mounted: &[PathBuf], found: &mut Vec<Member>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let at = entry?.path();
        let Some(status) = if_there(fs::symlink_metadata(&at))? else { continue };
        let path = at.strip_prefix(DEV).unwrap_or(&at).to_owned();
        let is_mounted = mounted.contains(&at);
        let kind = match status.file_type() {
            kind if kind.is_dir() && is_mounted && path == Path::new(TERMINALS) => Kind::Terminals,
            kind if kind.is_dir() && is_mounted => Kind::Mounted,
            kind if kind.is_dir() => Kind::Directory,
            kind if kind.is_symlink() => Kind::Link(fs::read_link(&at)?),
            kind if is_left_out(&path) || is_mounted || kind.is_file() => continue,
            kind if kind.is_char_device() => Kind::Character(status.rdev()),
            kind if kind.is_block_device() => Kind::Block(status.rdev()),
            _ => continue,
        };
        let is_directory = matches!(kind, Kind::Directory);
        let standard = STANDARD.iter().find(|(name, _)| path == Path::new(name));
        let (mode, owner) = match standard {
            Some((_, mode)) => (*mode, (0, if path == Path::new("tty") { status.gid() } else { 0 })),
            None => (status.mode() & 0o7777, (status.uid(), status.gid())),
        };
        found.push(Member { path, kind, mode, owner });
        if is_directory {
            collect(&at, mounted, found)?;
        }
    }
    Ok(())
}

fn is_left_out(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let is_console =
        name.strip_prefix("tty").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    is_console || LEFT_OUT.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_runtime_needs_is_left_out() {
        for name in ["tty0", "tty63", "ttyS0", "vcsa1", "ram3"] {
            assert!(is_left_out(Path::new(name)), "{name}");
        }
        for name in ["tty", "null", "random", "net/tun", "loop0", "fuse", "vda"] {
            assert!(!is_left_out(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn the_devices_that_every_container_has_are_there() {
        let members = members().unwrap();
        for (name, mode) in STANDARD {
            let member = members.iter().find(|member| member.path == Path::new(name));
            let Some(member) = member else { panic!("/dev/{name} is missing among {members:?}") };
            assert_eq!(member.mode, mode, "{name}");
        }
    }
}
