//! Saves the artifacts of a check (bundles, logs, commands) so that it can be repeated by hand.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use plimsoll_foreign::beneath::{self, Root};
use plimsoll_foreign::name;
use plimsoll_foreign::read::{self, Limit};
use plimsoll_reports::model;

use crate::system::proc::files::about;

/// Copies the directory of a check below `base`, with its paths rewritten, and a script `replay.sh` of the calls.
///
/// # Errors
/// When a file cannot be read or written.
pub fn save(dir: &Path, base: &Path, id: &str, probe: &Path, result: &model::Check) -> io::Result<PathBuf> {
    let name = id.replace('/', ".");
    let name = name::of_file(&name).map_err(|why| io::Error::other(format!("the id {id:?} {why}")))?;
    let root = beneath::own_directory(base).map_err(|why| about(base.display(), &why))?;
    let to = base.join(name);
    if fs::symlink_metadata(&to).is_ok_and(|status| status.is_dir()) {
        fs::remove_dir_all(&to)?;
    }
    if fs::symlink_metadata(base.join("probe")).is_err() {
        match root.link(probe, Path::new("probe")) {
            // Another check was quicker.
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
    }
    root.directory(Path::new(name), 0o755)?;
    let kept = Root::open(&to)?;
    let mut moved = Moved {
        from: dir.to_owned(),
        to: to.clone(),
        probe: fs::metadata(probe)?.ino(),
        kept_probe: base.join("probe"),
        root: &kept,
        left: MOST,
    };
    moved.copy(Path::new(""), 0)?;
    kept.file(Path::new("result.json"), &serde_json::to_vec_pretty(result)?, 0o644)?;
    kept.file(Path::new("replay.sh"), moved.script(id, result).as_bytes(), 0o755)?;
    Ok(to)
}

/// The most bytes that are kept of one check, and of one of its files. A runtime may have written any number.
const MOST: u64 = 256 << 20;
const LARGEST: Limit = Limit::mib(16);
/// How deep directories are followed: a path within them is still one that the kernel takes.
const DEEPEST: usize = 64;

struct Moved<'r> {
    from: PathBuf,
    to: PathBuf,
    probe: u64,
    kept_probe: PathBuf,
    root: &'r Root,
    /// How many bytes may still be kept.
    left: u64,
}

impl Moved<'_> {
    /// Copies what is below a directory of the check. What is no file, directory or link is left out.
    fn copy(&mut self, below: &Path, depth: usize) -> io::Result<()> {
        if depth > DEEPEST {
            return Ok(());
        }
        for entry in fs::read_dir(self.from.join(below))? {
            let path = below.join(entry?.file_name());
            let from = self.from.join(&path);
            let meta = fs::symlink_metadata(&from)?;
            if meta.is_dir() {
                self.root.directory(&path, 0o755)?;
                self.copy(&path, depth + 1)?;
            } else if meta.is_symlink() {
                self.root.symlink(&path, &fs::read_link(&from)?.to_string_lossy())?;
            } else if meta.is_file() && meta.ino() == self.probe {
                self.root.link(&self.kept_probe, &path)?;
            } else if meta.is_file() {
                self.copy_file(&from, &path, meta.permissions().mode())?;
            }
        }
        Ok(())
    }

    fn copy_file(&mut self, from: &Path, path: &Path, mode: u32) -> io::Result<()> {
        let bytes = match read::file(from, LARGEST) {
            Ok(bytes) if bytes.len() as u64 <= self.left => bytes,
            Ok(_) => return self.root.file(path, b"not saved: more than the limit for one check\n", 0o644),
            Err(why) if why.is_odd() => {
                return self.root.file(path, format!("not kept: {why}\n").as_bytes(), 0o644);
            }
            Err(why) => return Err(about(from.display(), &why.into())),
        };
        self.left -= bytes.len() as u64;
        if path.file_name().is_some_and(|name| name == "config.json") {
            let text = self.rewrite(&String::from_utf8_lossy(&bytes));
            return self.root.file(path, text.as_bytes(), mode);
        }
        self.root.file(path, &bytes, mode)
    }

    fn rewrite(&self, text: &str) -> String {
        text.replace(&*self.from.to_string_lossy(), &self.to.to_string_lossy())
    }

    /// The calls as they were made. Standard input of the container is the harness's questions; a person types none,
    /// so it is a pipe that stays open until the script ends.
    fn script(&self, id: &str, result: &model::Check) -> String {
        let mut text = format!("#!/bin/sh\n# The calls of check {id}, in order, with how each ended.\n");
        text.push_str("# Where the check waited for a container's program, add `sleep`.\n");
        text.push_str("set -x\n");
        for call in result.evidence.iter().flat_map(|evidence| &evidence.calls) {
            text.push_str(&format!("{} </dev/null    # {}\n", self.rewrite(&call.command), call.ended));
        }
        text
    }
}
