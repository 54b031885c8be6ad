//! An initramfs: a cpio archive in the `newc` format, made in memory. See
//! `Documentation/driver-api/early-userspace/buffer-format.rst` of the kernel.

use std::collections::BTreeSet;
use std::path::{Component, Path};

const FILE: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// An archive in the making. Directories above an entry are added by themselves.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
    /// Names of what is in it already, relative to the root.
    names: BTreeSet<String>,
}

impl Archive {
    /// Adds a regular file. The first one of a name stays.
    pub fn file(&mut self, path: &Path, mode: u32, content: &[u8]) {
        self.add(path, FILE | mode, (0, 0), content);
    }

    /// Adds a directory.
    pub fn directory(&mut self, path: &Path, mode: u32) {
        self.add(path, DIRECTORY | mode, (0, 0), &[]);
    }

    /// Adds a character device with these numbers.
    pub fn character_device(&mut self, path: &Path, mode: u32, numbers: (u32, u32)) {
        self.add(path, CHARACTER_DEVICE | mode, numbers, &[]);
    }

    /// The whole archive, with the entry that ends it.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), &[]);
        self.bytes
    }

    fn add(&mut self, path: &Path, mode: u32, numbers: (u32, u32), content: &[u8]) {
        let Some(name) = name(path) else { return };
        // The kernel makes no directory that is not in the archive.
        let above = name.match_indices('/').map(|(end, _)| name[..end].to_owned());
        for directory in above.collect::<Vec<_>>() {
            if self.names.insert(directory.clone()) {
                self.entry(&directory, DIRECTORY | 0o755, (0, 0), &[]);
            }
        }
        if self.names.insert(name.clone()) {
            self.entry(&name, mode, numbers, content);
        }
    }

    fn entry(&mut self, name: &str, mode: u32, (major, minor): (u32, u32), content: &[u8]) {
        self.entries += 1;
        let links = if mode & DIRECTORY == DIRECTORY { 2 } else { 1 };
        let (size, name_size) = (length(content.len()), length(name.len() + 1));
        let fields = [self.entries, mode, 0, 0, links, 0, size, 0, 0, major, minor, name_size, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    /// Header with name, and content, both end at a multiple of four.
    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

/// The format has 32 bits for a size; nothing that fits into a guest's memory is longer.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// `/a/../b` as `b`: the path as an entry names it, or nothing for the root itself.
fn name(path: &Path) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::ParentDir => drop(parts.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    if parts.is_empty() { None } else { Some(parts.join("/")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and contents, read back by the rules of the format.
    fn read(bytes: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            assert_eq!(&bytes[at..at + 6], b"070701");
            let text = std::str::from_utf8(&bytes[at + 6..at + 110]).unwrap();
            let field = |index: usize| u32::from_str_radix(&text[index * 8..index * 8 + 8], 16).unwrap();
            let (mode, size, name_size) = (field(1), field(6) as usize, field(11) as usize);
            let name = String::from_utf8(bytes[at + 110..at + 110 + name_size - 1].to_vec()).unwrap();
            let start = (at + 110 + name_size).next_multiple_of(4);
            found.push((name, mode, bytes[start..start + size].to_vec()));
            at = (start + size).next_multiple_of(4);
        }
        found
    }

    #[test]
    fn an_entry_brings_the_directories_above_it_once() {
        let mut archive = Archive::default();
        archive.file(Path::new("/a/b/../c/file"), 0o755, b"hello");
        archive.file(Path::new("a/c/other"), 0o644, b"");
        archive.file(Path::new("/a/c/other"), 0o644, b"a second one of the same name");
        archive.directory(Path::new("/"), 0o755);
        let entries = read(&archive.finish());
        let names: Vec<&str> = entries.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["a", "a/c", "a/c/file", "a/c/other", "TRAILER!!!"]);
        assert_eq!((entries[2].1, entries[2].2.as_slice()), (0o100_755, b"hello".as_slice()));
        assert!(entries[3].2.is_empty());
    }

    #[test]
    fn a_device_has_its_numbers() {
        let mut archive = Archive::default();
        archive.character_device(Path::new("/dev/console"), 0o600, (5, 1));
        let bytes = archive.finish();
        let text = String::from_utf8_lossy(&bytes);
        let console = &text[text.rfind("dev/console").unwrap() - 110..];
        assert_eq!(&console[6 + 9 * 8..6 + 11 * 8], "0000000500000001");
    }
}
