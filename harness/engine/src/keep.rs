//! Keeps what a check worked with: bundles, logs, the commands, made ready to be run again by hand.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use plimsoll_reports::model;

/// Copies the directory of a check below `base`, with its paths rewritten, and a script `replay.sh` of the calls.
///
/// # Errors
/// When a file cannot be read or written.
pub fn keep(dir: &Path, base: &Path, id: &str, probe: &Path, result: &model::Check) -> io::Result<PathBuf> {
    let to = base.join(id.replace('/', "."));
    fs::create_dir_all(base)?;
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    let kept_probe = base.join("probe");
    if !kept_probe.exists() {
        fs::copy(probe, &kept_probe)?;
    }
    let moved = Moved { from: dir.to_owned(), to: to.clone(), probe: fs::metadata(probe)?.ino(), kept_probe };
    moved.copy(dir, &to)?;
    fs::write(to.join("result.json"), serde_json::to_vec_pretty(result)?)?;
    let script = to.join("replay.sh");
    fs::write(&script, moved.script(id, result))?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(to)
}

struct Moved {
    from: PathBuf,
    to: PathBuf,
    probe: u64,
    kept_probe: PathBuf,
}

impl Moved {
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).create(to)?;
        for entry in fs::read_dir(from)? {
            let (from, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
            let to = to.join(&name);
            let meta = fs::symlink_metadata(&from)?;
            if meta.is_dir() {
                self.copy(&from, &to)?;
            } else if meta.is_symlink() {
                symlink(fs::read_link(&from)?, &to)?;
            } else if meta.is_file() && meta.ino() == self.probe {
                fs::hard_link(&self.kept_probe, &to)?;
            } else if meta.is_file() && name == "config.json" {
                fs::write(&to, self.rewrite(&String::from_utf8_lossy(&fs::read(&from)?)))?;
            } else if meta.is_file() {
                fs::copy(&from, &to)?;
            }
        }
        Ok(())
    }

    fn rewrite(&self, text: &str) -> String {
        text.replace(&*self.from.to_string_lossy(), &self.to.to_string_lossy())
    }

    /// The calls as they were made. Standard input of the container is the harness's questions; a person types none,
    /// so it is a pipe that stays open until the script ends.
    fn script(&self, id: &str, result: &model::Check) -> String {
        let mut text = format!("#!/bin/sh\n# The calls of check {id}, in order, with how each ended.\n");
        text.push_str(
            "# Wait for a container's program before you go on where the check did: add `sleep` as needed.\n",
        );
        text.push_str("set -x\n");
        for call in result.evidence.iter().flat_map(|evidence| &evidence.calls) {
            text.push_str(&format!("{} </dev/null    # {}\n", self.rewrite(&call.command), call.ended));
        }
        text
    }
}
