//! An open `/proc/PID`: everything read through it is of one process, even if its pid is reused.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::dir::Dir;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use plimsoll_foreign::read;

use super::files::{about, is_gone};

/// An open `/proc/PID`.
#[derive(Debug)]
pub(crate) struct ProcDir {
    pid: Pid,
    dir: OwnedFd,
}

impl ProcDir {
    pub(crate) fn of(pid: Pid) -> io::Result<Self> {
        let path = format!("/proc/{pid}");
        let dir = nix::fcntl::open(path.as_str(), OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty());
        let dir = dir.map_err(|why| about(&path, &why.into()))?;
        Ok(Self { pid, dir })
    }

    /// The number of the descriptor that holds it open.
    pub(crate) fn descriptor(&self) -> i32 {
        self.dir.as_raw_fd()
    }

    pub(crate) fn open(&self, file: &str, flags: OFlag) -> io::Result<OwnedFd> {
        let opened = openat(&self.dir, file, flags | OFlag::O_CLOEXEC, Mode::empty());
        opened.map_err(|why| self.about(file, &why.into()))
    }

    /// A file as text; bytes that are no UTF-8 are replaced.
    pub(crate) fn text(&self, file: &str) -> io::Result<String> {
        let opened = File::from(self.open(file, OFlag::O_RDONLY)?);
        let bytes = read::whole(opened, read::KERNEL).map_err(|why| self.about(file, &why.into()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// As [`Self::text`]; `None` where the kernel has no such file or says that it does not serve it.
    pub(crate) fn text_if_there(&self, file: &str) -> io::Result<Option<String>> {
        match self.text(file) {
            Ok(text) => Ok(Some(text)),
            // attr/current without a security module is there, and gives EINVAL.
            Err(why) if matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput) => Ok(None),
            Err(why) => Err(why),
        }
    }

    /// A file of words that each end with a zero byte.
    pub(crate) fn words(&self, file: &str) -> io::Result<Vec<String>> {
        Ok(self.text(file)?.split_terminator('\0').map(str::to_owned).collect())
    }

    /// Where a symbolic link leads.
    pub(crate) fn link(&self, file: &str) -> io::Result<String> {
        let target = readlinkat(&self.dir, file).map_err(|why| self.about(file, &why.into()))?;
        Ok(lossy(&target))
    }

    /// What a directory holds.
    pub(crate) fn names(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut opened = Dir::from_fd(self.open(directory, OFlag::O_RDONLY | OFlag::O_DIRECTORY)?)?;
        let mut names = Vec::new();
        for entry in opened.iter() {
            let name = entry.map_err(|why| self.about(directory, &why.into()))?;
            names.push(name.file_name().to_string_lossy().into_owned());
        }
        names.retain(|name| name != "." && name != "..");
        Ok(names)
    }

    /// The links of a directory by name; those that vanish meanwhile are left out.
    pub(crate) fn links(&self, directory: &str) -> io::Result<Vec<(String, String)>> {
        let mut links = Vec::new();
        for name in self.names(directory)? {
            match readlinkat(&self.dir, format!("{directory}/{name}").as_str()) {
                Ok(target) => links.push((name, lossy(&target))),
                Err(why) if is_gone(&why.into()) => {}
                Err(why) => return Err(self.about(directory, &why.into())),
            }
        }
        Ok(links)
    }

    fn about(&self, file: &str, why: &io::Error) -> io::Error {
        about(format!("/proc/{}/{file}", self.pid), why)
    }
}

fn lossy(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}
