//! The canary: a directory tree beside the bundles that no runtime should touch.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::Path;

use plimsoll_foreign::read;
use sha2::{Digest, Sha256};

use crate::system::proc::files::about;

/// Larger files are compared only by size.
const HASHED: u64 = 64 * 1024;

/// Makes the tree in a new directory. Its members are those that careless runtimes have harmed: a file, a link out of
/// reach, an empty `ptmx`, directories.
///
/// # Errors
/// When the directory is already there or cannot be written.
pub fn plant_canary(dir: &Path) -> io::Result<()> {
    fs::create_dir(dir).map_err(|why| about(dir.display(), &why))?;
    fs::write(dir.join("marker"), "This file belongs to Plimsoll. Whoever changes it has left the container.\n")?;
    fs::create_dir(dir.join("empty"))?;
    symlink("marker", dir.join("link"))?;
    fs::write(dir.join("ptmx"), "")?;
    fs::create_dir(dir.join("below"))?;
    fs::write(dir.join("below/file"), "below\n")
}

/// Each member of a tree by its path below `top`, `.` for that itself, with all that should not change: kind, permissions,
/// owner, inode and content.
///
/// # Errors
/// When something cannot be read.
pub fn describe(top: &Path) -> io::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    describe_below(top, top, &mut found)?;
    Ok(found)
}

fn describe_below(top: &Path, path: &Path, found: &mut BTreeMap<String, String>) -> io::Result<()> {
    let status = fs::symlink_metadata(path).map_err(|why| about(path.display(), &why))?;
    let name = Path::new(".").join(path.strip_prefix(top).unwrap_or(path));
    let text = format!("{} inode {}{}", node(&status), status.ino(), content(path, &status)?);
    found.insert(name.display().to_string(), text);
    if status.is_dir() {
        for entry in fs::read_dir(path)? {
            describe_below(top, &entry?.path(), found)?;
        }
    }
    Ok(())
}

/// Kind, permissions and owner; for a device its number.
pub(super) fn node(status: &Metadata) -> String {
    let (mode, uid, gid) = (status.mode() & 0o7777, status.uid(), status.gid());
    format!("{} mode {mode:04o} owner {uid}:{gid}", kind(status))
}

fn kind(status: &Metadata) -> String {
    let device = || format!("{}:{}", libc::major(status.rdev()), libc::minor(status.rdev()));
    match status.file_type() {
        kind if kind.is_file() => "file".into(),
        kind if kind.is_dir() => "directory".into(),
        kind if kind.is_symlink() => "symlink".into(),
        kind if kind.is_fifo() => "fifo".into(),
        kind if kind.is_socket() => "socket".into(),
        kind if kind.is_char_device() => format!("character device {}", device()),
        _ => format!("block device {}", device()),
    }
}

fn content(path: &Path, status: &Metadata) -> io::Result<String> {
    if status.is_symlink() {
        return Ok(format!(" to {}", fs::read_link(path)?.display()));
    }
    if !status.is_file() {
        return Ok(String::new());
    }
    let size = status.len();
    if size > HASHED {
        return Ok(format!(" size {size}"));
    }
    let digest = match read::file(path, read::DOCUMENT) {
        Ok(bytes) => Sha256::digest(bytes),
        Err(odd) if odd.is_odd() => return Ok(format!(" size {size}, and {odd}")),
        Err(why) => return Err(why.into()),
    };
    // Eight bytes are enough to distinguish two contents.
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!(" size {size} sha256 {digest}…"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Plants a canary, harms it, and gives back the members whose description changed.
    fn changed_by(harm: impl FnOnce(&Path)) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        let canary = dir.path().join("canary");
        plant_canary(&canary).unwrap();
        let before = describe(&canary).unwrap();
        harm(&canary);
        let after = describe(&canary).unwrap();
        let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
        names.cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    #[test]
    fn reading_is_no_harm() {
        assert!(changed_by(|canary| drop(fs::read(canary.join("marker")).unwrap())).is_empty());
    }

    #[test]
    fn each_harm_is_seen() {
        let same_size = |canary: &Path| fs::write(canary.join("below/file"), "BELOW\n").unwrap();
        assert_eq!(changed_by(same_size), ["./below/file"]);
        let mode = |canary: &Path| fs::set_permissions(canary.join("ptmx"), fs::Permissions::from_mode(0o000)).unwrap();
        assert_eq!(changed_by(mode), ["./ptmx"]);
        let relinked = |canary: &Path| {
            fs::remove_file(canary.join("link")).unwrap();
            symlink("ptmx", canary.join("link")).unwrap();
        };
        assert_eq!(changed_by(relinked), ["./link"]);
        assert_eq!(changed_by(|canary| fs::remove_dir(canary.join("empty")).unwrap()), ["./empty"]);
        assert_eq!(changed_by(|canary| fs::write(canary.join("new"), "").unwrap()), ["./new"]);
        let grown = |canary: &Path| fs::write(canary.join("marker"), vec![0; 100_000]).unwrap();
        assert_eq!(changed_by(grown), ["./marker"]);
    }
}
