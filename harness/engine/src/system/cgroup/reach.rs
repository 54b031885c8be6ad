//! Access to cgroups whose path is longer than PATH_MAX. A runtime can make them, and they have to be found and removed.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

/// Longest path that is taken as it is, in bytes: less than `PATH_MAX` by more than the name of a file in it.
const SHORT: usize = 3800;

/// A path that the kernel takes, as long as this lives.
pub(super) struct Reached {
    path: PathBuf,
    _above: Option<OwnedFd>,
}

impl AsRef<Path> for Reached {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

/// The way to a file or directory.
pub(super) fn reach(path: &Path) -> io::Result<Reached> {
    let mut reached = Reached { path: path.to_owned(), _above: None };
    while length(&reached.path) > SHORT {
        let near = reached.path.ancestors().find(|above| length(above) <= SHORT).unwrap_or(Path::new("/"));
        let rest = reached.path.strip_prefix(near).map_err(io::Error::other)?;
        let above = open(near, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
        let path = Path::new("/proc/self/fd").join(above.as_raw_fd().to_string()).join(rest);
        reached = Reached { path, _above: Some(above) };
    }
    Ok(reached)
}

fn length(path: &Path) -> usize {
    path.as_os_str().as_bytes().len()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_path_is_too_long() {
        let top = tempfile::tempdir().unwrap();
        let mut deep = top.path().to_owned();
        let mut made = Vec::new();
        while length(&deep) < 3 * SHORT {
            deep.push("x".repeat(200));
            fs::create_dir(reach(&deep).unwrap()).unwrap();
            made.push(deep.clone());
        }
        assert!(fs::metadata(&deep).is_err(), "it is too long for the kernel");
        assert!(fs::metadata(reach(&deep).unwrap()).unwrap().is_dir());
        made.iter().rev().for_each(|dir| fs::remove_dir(reach(dir).unwrap()).unwrap());
    }
}
