//! Files that stay below a directory. Each part of a path is opened from the descriptor of the one above it
//! (`openat2(2)`, `RESOLVE_BENEATH`), no symbolic link is followed, and `..` or an absolute path is refused before anything
//! is made.

use std::ffi::OsStr;
use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat::{Mode, SFlag, fstat, mkdirat, mknodat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, fchownat, linkat, symlinkat, unlinkat};

/// The bits of a mode that a file may be given: no program runs as another user or group because of it.
pub const MODE: u32 = 0o1777;

/// A directory, and what is made below it.
#[derive(Debug)]
pub struct Root {
    dir: OwnedFd,
}

/// The parts of a path that stays below where it begins: neither absolute nor empty, without `..`.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] with a text that says what is wrong.
pub fn parts(path: &Path) -> io::Result<Vec<&OsStr>> {
    let outside = || io::Error::new(ErrorKind::InvalidInput, "the path leads outside of its directory");
    let part = |component| match component {
        Component::Normal(part) => Some(Ok(part)),
        Component::CurDir => None,
        Component::ParentDir | Component::RootDir | Component::Prefix(_) => Some(Err(outside())),
    };
    let parts: Vec<&OsStr> = path.components().filter_map(part).collect::<io::Result<_>>()?;
    if parts.is_empty() { Err(outside()) } else { Ok(parts) }
}

impl Root {
    /// An existing directory; its own path is trusted.
    ///
    /// # Errors
    /// When it is none, or a symbolic link.
    pub fn open(dir: &Path) -> io::Result<Self> {
        Ok(Self { dir: openat(AT_FDCWD, dir, DIRECTORY, Mode::empty())? })
    }

    /// A regular file with this content and mode, in place of whatever else was there but a directory. Missing directories
    /// above it are made.
    ///
    /// # Errors
    /// When a part of the path is no directory, or the kernel refuses.
    pub fn file(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        self.program(path, content, mode & MODE)
    }

    /// The same with every bit of the mode, for programs that are ours.
    ///
    /// # Errors
    /// As [`Root::file`].
    pub fn program(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        let (above, name) = self.place(path)?;
        remove_file(&above, name)?;
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut file = File::from(openat(&above, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(mode))
    }

    /// A directory with this mode; those above it are made as well. One that is there is only given the mode.
    ///
    /// # Errors
    /// As [`Root::file`].
    pub fn directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        let dir = self.walk(&parts(path)?)?;
        let open = openat(&dir, ".", DIRECTORY, Mode::empty())?;
        File::from(open).set_permissions(Permissions::from_mode(mode & MODE))
    }

    /// A symbolic link, also in place of an empty directory. Where it leads does not matter: nobody here follows it.
    ///
    /// # Errors
    /// As [`Root::file`], and when something else is there.
    pub fn symlink(&self, path: &Path, target: &str) -> io::Result<()> {
        let (above, name) = self.place(path)?;
        match unlinkat(&above, name, UnlinkatFlags::RemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => Ok(symlinkat(target, &above, name)?),
            Err(why) => Err(why.into()),
        }
    }

    /// Gives what is there, a link itself if it is one, to this user and group. What has a second name is somebody else's, too.
    ///
    /// # Errors
    /// As [`Root::file`].
    pub fn owner(&self, path: &Path, uid: u32, gid: u32) -> io::Result<()> {
        let (above, name) = self.place(path)?;
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let found = openat(&above, name, flags, Mode::empty())?;
        let status = fstat(&found)?;
        let is_dir = status.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits();
        if status.st_nlink > 1 && !is_dir {
            return Err(io::Error::new(ErrorKind::InvalidInput, "the file has another hard link"));
        }
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        Ok(fchownat(&found, "", uid, gid, AtFlags::AT_EMPTY_PATH)?)
    }

    /// A second name of the file `source`, or a copy where the filesystems differ.
    ///
    /// # Errors
    /// As [`Root::file`], and when something is there already.
    pub fn link(&self, source: &Path, path: &Path) -> io::Result<()> {
        let (above, name) = self.place(path)?;
        if linkat(AT_FDCWD, source, &above, name, AtFlags::empty()).is_ok() {
            return Ok(());
        }
        let mut from = File::open(source)?;
        let mode = Mode::from_bits_truncate(from.metadata()?.permissions().mode() & MODE);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        io::copy(&mut from, &mut File::from(openat(&above, name, flags, mode)?)).map(drop)
    }

    /// A device node of mode 0666.
    ///
    /// # Errors
    /// As [`Root::file`], and when something is there already.
    pub fn device(&self, path: &Path, kind: SFlag, numbers: u64) -> io::Result<()> {
        let (above, name) = self.place(path)?;
        mknodat(&above, name, kind, Mode::empty(), numbers)?;
        // No open: that would reach the driver.
        let node = openat(&above, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())?;
        std::fs::set_permissions(by_descriptor(&node), Permissions::from_mode(0o666))
    }

    /// A directory to mount at, held open: mount at [`by_descriptor`] of it.
    ///
    /// # Errors
    /// As [`Root::file`].
    pub fn mount_point(&self, path: &Path) -> io::Result<OwnedFd> {
        self.walk(&parts(path)?)
    }

    /// The directory above a path, and the name of the last part.
    fn place<'p>(&self, path: &'p Path) -> io::Result<(OwnedFd, &'p OsStr)> {
        let mut parts = parts(path)?;
        let name = parts.pop().unwrap_or_default();
        Ok((self.walk(&parts)?, name))
    }

    /// Goes down these directories and makes those that are missing.
    fn walk(&self, parts: &[&OsStr]) -> io::Result<OwnedFd> {
        let mut at = self.dir.try_clone()?;
        for part in parts {
            at = match step(&at, part) {
                Err(Errno::ENOENT) => {
                    mkdirat(&at, *part, Mode::from_bits_truncate(0o755))?;
                    step(&at, part)
                }
                other => other,
            }
            .map_err(|why| refused(part, why))?;
        }
        Ok(at)
    }
}

/// A directory that the user has named for what is to be kept, made with those above it where it is missing. A symbolic link in
/// its place is refused: in a directory that somebody else has filled, it leads wherever they like.
///
/// # Errors
/// When it is a link or no directory, or cannot be made.
pub fn own_directory(dir: &Path) -> io::Result<Root> {
    match Root::open(dir) {
        Err(why) if why.kind() == ErrorKind::NotFound => {
            std::fs::create_dir_all(dir)?;
            Root::open(dir)
        }
        Err(_) if dir.is_symlink() => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is a symbolic link, which is not followed; use the path of its target",
        )),
        other => other,
    }
}

/// The path by which the kernel finds what a descriptor holds open.
#[must_use]
pub fn by_descriptor(fd: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

const DIRECTORY: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// One directory down. A kernel before 5.6 does not know `openat2`; without `..` and slashes, `O_NOFOLLOW` does the same.
fn step(at: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let beneath = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS | ResolveFlag::RESOLVE_NO_SYMLINKS;
    match openat2(at.as_fd(), name, OpenHow::new().flags(flags).resolve(beneath)) {
        Err(Errno::ENOSYS | Errno::EPERM) => openat(at, name, flags, Mode::empty()),
        other => other,
    }
}

fn refused(part: &OsStr, why: Errno) -> io::Error {
    match why {
        Errno::ELOOP => io::Error::new(
            ErrorKind::InvalidInput,
            format!("{} in the path is a symbolic link, which is not followed", part.display()),
        ),
        other => other.into(),
    }
}

fn remove_file(above: &OwnedFd, name: &OsStr) -> io::Result<()> {
    match unlinkat(above, name, UnlinkatFlags::NoRemoveDir) {
        Ok(()) | Err(Errno::ENOENT) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

#[cfg(test)]
mod tests;
