//! Paths of the container, resolved by the kernel as if the container's root were `/`: openat2(2) with
//! `RESOLVE_IN_ROOT`. A link that points out of the root stays inside, whatever the image holds, and what was opened
//! is used by its descriptor: no path is resolved twice.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::{Context, Error, Result};

/// How many links a path may have: as many as the kernel follows. path_resolution(7).
const MOST_LINKS: usize = 40;

/// The root of the container, before and after it becomes `/`.
#[derive(Debug)]
pub struct Root(OwnedFd);

/// A directory of the container and the name of an entry in it.
#[derive(Debug)]
pub struct Entry {
    /// The directory, opened as a path.
    pub parent: Rc<OwnedFd>,
    /// The name: one component.
    pub name: PathBuf,
}

impl Root {
    /// The root that is the mount `fd`.
    pub fn new(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Opens what `path` names, as a path, links followed.
    ///
    /// # Errors
    /// As openat2(2).
    pub fn open(&self, path: &Path) -> Result<OwnedFd> {
        self.open_with(path, OFlags::PATH, ResolveFlags::empty())
    }

    /// Opens what `path` names with more flags.
    ///
    /// # Errors
    /// As openat2(2).
    pub fn open_with(&self, path: &Path, flags: OFlags, resolve: ResolveFlags) -> Result<OwnedFd> {
        let path = inside(path);
        let resolve = resolve | ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match rustix::fs::openat2(&self.0, &path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                // Something was renamed meanwhile, so the kernel cannot tell whether a `..` stayed inside.
                Err(Errno::AGAIN) => {}
                opened => return opened.doing(|| format!("open `/{}` in the container", path.display())),
            }
        }
    }

    /// As [`Root::open`], with nothing for what does not exist.
    ///
    /// # Errors
    /// As openat2(2), but for `ENOENT` and `ENOTDIR`.
    pub fn open_existing(&self, path: &Path) -> Result<Option<OwnedFd>> {
        match self.open(path) {
            Err(error) if matches!(error.errno(), Some(libc::ENOENT | libc::ENOTDIR)) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Opens the directory `path`, and makes what of it is missing, with mode 0755.
    ///
    /// # Errors
    /// When it cannot be made, such as below a file.
    pub fn make_directory(&self, path: &Path) -> Result<OwnedFd> {
        if let Some(there) = self.open_existing(path)? {
            return Ok(there);
        }
        let entry = self.entry(path)?;
        match rustix::fs::mkdirat(&entry.parent, &entry.name, Mode::from_raw_mode(0o755)) {
            Ok(()) => self.open(path),
            Err(Errno::EXIST) => match self.open_existing(path)? {
                Some(there) => Ok(there),
                None => self.make_directory(&self.behind_links(path)?),
            },
            Err(error) => Err(error).doing(|| format!("make the directory `{}` in the container", path.display())),
        }
    }

    /// Opens the file `path`, and makes an empty one, with its directories, when it is missing.
    ///
    /// # Errors
    /// When it cannot be made, such as below a file.
    pub fn make_file(&self, path: &Path) -> Result<OwnedFd> {
        if let Some(there) = self.open_existing(path)? {
            return Ok(there);
        }
        let entry = self.entry(path)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::openat(&entry.parent, &entry.name, flags, Mode::from_raw_mode(0o644)) {
            Ok(_) => self.open(path),
            Err(Errno::EXIST) => match self.open_existing(path)? {
                Some(there) => Ok(there),
                None => self.make_file(&self.behind_links(path)?),
            },
            Err(error) => Err(error).doing(|| format!("make the file `{}` in the container", path.display())),
        }
    }

    /// The path without links that `path`, which has a link to what does not exist, leads to. What is made of it is opened
    /// below the root like any other path, so nothing depends on what the links are by then.
    ///
    /// # Errors
    /// When there are too many links, or none.
    fn behind_links(&self, path: &Path) -> Result<PathBuf> {
        let given = inside(path);
        let mut rest: VecDeque<OsString> = given.iter().map(Into::into).collect();
        let (mut reached, mut links) = (PathBuf::new(), 0);
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                reached.pop();
                continue;
            }
            let next = reached.join(&name);
            let Some(target) = self.link_at(&next)? else {
                reached = next;
                continue;
            };
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::LOOP).doing(|| format!("follow `/{}` in the container", given.display()));
            }
            if target.is_absolute() {
                reached = PathBuf::new();
            }
            let names = target.components().filter_map(|component| match component {
                Component::Normal(name) => Some(name.to_owned()),
                Component::ParentDir => Some("..".into()),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
            });
            names.rev().for_each(|name| rest.push_front(name));
        }
        let leads = links > 0 && reached != given;
        leads.then_some(reached).ok_or_else(|| Error::new(format!("`/{}` changes meanwhile", given.display())))
    }

    /// What the link at `path` says, when there is one.
    fn link_at(&self, path: &Path) -> Result<Option<PathBuf>> {
        let opened = match self.open_with(path, OFlags::PATH | OFlags::NOFOLLOW, ResolveFlags::empty()) {
            Err(error) if matches!(error.errno(), Some(libc::ENOENT | libc::ENOTDIR)) => return Ok(None),
            opened => opened?,
        };
        match rustix::fs::readlinkat(&opened, "", Vec::new()) {
            Ok(target) => Ok(Some(OsStr::from_bytes(target.to_bytes()).into())),
            // It is none.
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(error) => Err(error).doing(|| format!("read the link `/{}` in the container", path.display())),
        }
    }

    /// The directory of `path`, made when missing, and the last component.
    ///
    /// # Errors
    /// When `path` is `/`, or the directory cannot be made.
    pub fn entry(&self, path: &Path) -> Result<Entry> {
        let path = inside(path);
        let name = path.file_name().ok_or_else(|| Error::new("`/` is not an entry of a directory"))?;
        let parent = self.make_directory(path.parent().unwrap_or(Path::new("")))?;
        Ok(Entry { parent: Rc::new(parent), name: name.into() })
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// `path` relative to the root and without `.` and `..`; `.` for the root itself.
pub fn inside(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    if clean.as_os_str().as_bytes().is_empty() { PathBuf::from(".") } else { clean }
}

/// Whether `fd` is a directory.
///
/// # Errors
/// As fstat(2).
pub fn is_directory(fd: BorrowedFd<'_>) -> Result<bool> {
    let stat = rustix::fs::fstat(fd).doing(|| "look at a file".into())?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_is_made_relative_and_never_climbs() {
        for (path, clean) in [("/a/b", "a/b"), ("a/../../b", "b"), ("/", "."), ("./x/.", "x"), ("/..", ".")] {
            assert_eq!(inside(Path::new(path)), Path::new(clean), "{path}");
        }
    }

    #[test]
    fn what_a_link_leads_to_is_made_inside() {
        let place = tempfile::tempdir().unwrap();
        let made = |path: &str| place.path().join(path);
        fs::create_dir_all(made("real/etc")).unwrap();
        for (link, target) in
            [("etc", "real/etc"), ("real/etc/file", "../run/file"), ("loop", "loop"), ("up", "../../x")]
        {
            symlink(target, made(link)).unwrap();
        }
        let root = Root::new(fs::File::open(place.path()).unwrap().into());
        root.make_file(Path::new("/etc/file")).unwrap();
        assert!(made("real/run/file").is_file());
        root.make_directory(Path::new("/up/y")).unwrap();
        assert!(made("x/y").is_dir());
        assert!(root.make_directory(Path::new("/loop")).is_err());
    }

    #[test]
    fn links_that_lead_out_stay_inside() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        symlink(outside.path(), root.path().join("out")).unwrap();
        let root = Root::new(fs::File::open(root.path()).unwrap().into());
        root.make_directory(Path::new("/out/made")).unwrap();
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        root.make_file(Path::new("/a/b/file")).unwrap();
        assert!(is_directory(root.open(Path::new("/a/b")).unwrap().as_fd()).unwrap());
    }
}
