//! One cgroup in one hierarchy: a directory whose files are read and written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Context, Result};

/// A directory of a cgroup filesystem.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) dir: PathBuf,
}

impl Group {
    pub(super) fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The text of a file, without the newline at its end.
    pub(super) fn read(&self, name: &str) -> Result<String> {
        let path = self.file(name);
        let text = fs::read_to_string(&path).doing(|| format!("read `{}`", path.display()))?;
        Ok(text.trim_end().to_owned())
    }

    /// As [`Group::read`], but a file that is not there is no error.
    pub(super) fn read_if_there(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.file(name)).ok().map(|text| text.trim_end().to_owned())
    }

    /// Writes in a single call, since the kernel takes each write as one whole value.
    pub(super) fn write(&self, name: &str, value: &str) -> Result<()> {
        let path = self.file(name);
        self.open_to_write(name)
            .and_then(|mut file| file.write_all(value.as_bytes()))
            .doing(|| format!("write `{value}` to `{}`", path.display()))
    }

    /// Never creates: a name that the kernel does not have is ENOENT, not EACCES.
    pub(super) fn open_to_write(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW).open(self.file(name))
    }

    /// The cgroup itself and all below, each before its children. One that vanishes meanwhile is left out.
    pub(super) fn with_descendants(&self) -> Vec<Group> {
        let mut found = vec![self.clone()];
        let mut next = 0;
        while let Some(group) = found.get(next) {
            let children = children(&group.dir);
            found.extend(children);
            next += 1;
        }
        found
    }
}

fn children(dir: &Path) -> Vec<Group> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let dirs = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    dirs.map(|entry| Group::new(entry.path())).collect()
}
