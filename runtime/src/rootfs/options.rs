//! Mount options: one table that parses them, says what they do, and lists them in `features`.
//! Specification: `config.md`, Linux mount options. Kernel: mount_setattr(2), fsconfig(2).

use rustix::fs::Mode;

/// `MOUNT_ATTR_…` as in linux/mount.h.
pub mod attr {
    /// Read-only.
    pub const RDONLY: u64 = 0x1;
    /// Set-id bits have no effect.
    pub const NOSUID: u64 = 0x2;
    /// Device nodes have no effect.
    pub const NODEV: u64 = 0x4;
    /// Nothing is executed.
    pub const NOEXEC: u64 = 0x8;
    /// Access times are updated when they are older than a change or a day.
    pub const RELATIME: u64 = 0x0;
    /// Access times are not updated.
    pub const NOATIME: u64 = 0x10;
    /// Access times are updated always.
    pub const STRICTATIME: u64 = 0x20;
    /// The bits that hold one of the three above.
    pub const ATIME: u64 = 0x70;
    /// Access times of directories are not updated.
    pub const NODIRATIME: u64 = 0x80;
    /// Ids are mapped by a user namespace.
    pub const IDMAP: u64 = 0x10_0000;
    /// Symbolic links are not followed.
    pub const NOSYMFOLLOW: u64 = 0x20_0000;
}

/// What a known word does.
#[derive(Debug, Clone, Copy)]
enum Effect {
    Nothing,
    /// Sets attributes of this mount.
    Set(u64),
    /// Clears attributes of this mount.
    Clear(u64),
    /// Chooses how this mount updates access times.
    Atime(u64),
    /// The same three for the whole tree.
    SetTree(u64),
    ClearTree(u64),
    AtimeTree(u64),
    /// A flag of the file system itself: the word is handed to fsconfig(2).
    Superblock,
    /// A flag that only mount(2) can pass on.
    Classic(u64, bool),
    Propagation(u64, bool),
    Bind {
        recursive: bool,
    },
    Remount,
    CopyUp,
    IdMap {
        recursive: bool,
    },
}

use Effect::{
    Atime, AtimeTree, Bind, Classic, Clear, ClearTree, CopyUp, IdMap, Nothing, Propagation, Remount, Set, SetTree,
    Superblock,
};

/// Every word that is not data of a file system.
const OPTIONS: &[(&str, Effect)] = &[
    ("async", Superblock),
    ("atime", Atime(attr::RELATIME)),
    ("bind", Bind { recursive: false }),
    ("defaults", Nothing),
    ("dev", Clear(attr::NODEV)),
    ("diratime", Clear(attr::NODIRATIME)),
    ("dirsync", Superblock),
    ("exec", Clear(attr::NOEXEC)),
    ("idmap", IdMap { recursive: false }),
    ("iversion", Classic(libc::MS_I_VERSION, true)),
    ("lazytime", Superblock),
    ("loud", Classic(libc::MS_SILENT, false)),
    ("mand", Superblock),
    ("noatime", Atime(attr::NOATIME)),
    ("nodev", Set(attr::NODEV)),
    ("nodiratime", Set(attr::NODIRATIME)),
    ("noexec", Set(attr::NOEXEC)),
    ("noiversion", Classic(libc::MS_I_VERSION, false)),
    ("nolazytime", Superblock),
    ("nomand", Superblock),
    ("norelatime", Atime(attr::RELATIME)),
    ("nostrictatime", Atime(attr::RELATIME)),
    ("nosuid", Set(attr::NOSUID)),
    ("nosymfollow", Set(attr::NOSYMFOLLOW)),
    ("private", Propagation(libc::MS_PRIVATE, false)),
    ("ratime", AtimeTree(attr::RELATIME)),
    ("rbind", Bind { recursive: true }),
    ("rdev", ClearTree(attr::NODEV)),
    ("rdiratime", ClearTree(attr::NODIRATIME)),
    ("relatime", Atime(attr::RELATIME)),
    ("remount", Remount),
    ("rexec", ClearTree(attr::NOEXEC)),
    ("ridmap", IdMap { recursive: true }),
    ("rnoatime", AtimeTree(attr::NOATIME)),
    ("rnodev", SetTree(attr::NODEV)),
    ("rnodiratime", SetTree(attr::NODIRATIME)),
    ("rnoexec", SetTree(attr::NOEXEC)),
    ("rnorelatime", AtimeTree(attr::RELATIME)),
    ("rnostrictatime", AtimeTree(attr::RELATIME)),
    ("rnosuid", SetTree(attr::NOSUID)),
    ("rnosymfollow", SetTree(attr::NOSYMFOLLOW)),
    ("ro", Set(attr::RDONLY)),
    ("rprivate", Propagation(libc::MS_PRIVATE, true)),
    ("rrelatime", AtimeTree(attr::RELATIME)),
    ("rro", SetTree(attr::RDONLY)),
    ("rrw", ClearTree(attr::RDONLY)),
    ("rshared", Propagation(libc::MS_SHARED, true)),
    ("rslave", Propagation(libc::MS_SLAVE, true)),
    ("rstrictatime", AtimeTree(attr::STRICTATIME)),
    ("rsuid", ClearTree(attr::NOSUID)),
    ("rsymfollow", ClearTree(attr::NOSYMFOLLOW)),
    ("runbindable", Propagation(libc::MS_UNBINDABLE, true)),
    ("rw", Clear(attr::RDONLY)),
    ("shared", Propagation(libc::MS_SHARED, false)),
    ("silent", Classic(libc::MS_SILENT, true)),
    ("slave", Propagation(libc::MS_SLAVE, false)),
    ("strictatime", Atime(attr::STRICTATIME)),
    ("suid", Clear(attr::NOSUID)),
    ("symfollow", Clear(attr::NOSYMFOLLOW)),
    ("sync", Superblock),
    ("tmpcopyup", CopyUp),
    ("unbindable", Propagation(libc::MS_UNBINDABLE, false)),
];

/// The words that [`Options::parse`] knows, sorted.
pub fn known() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(word, _)| *word)
}

/// Attributes to set and to clear.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// `MOUNT_ATTR_…` to set.
    pub set: u64,
    /// `MOUNT_ATTR_…` to clear.
    pub clear: u64,
}

impl Attributes {
    fn set(&mut self, bits: u64) {
        self.set |= bits;
        self.clear &= !bits;
    }

    fn clear(&mut self, bits: u64) {
        self.set &= !bits;
        self.clear |= bits;
    }

    fn atime(&mut self, kind: u64) {
        self.set = self.set & !attr::ATIME | kind;
        self.clear |= attr::ATIME;
    }

    /// Whether there is nothing to change.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// The options of one mount, in the kernel's terms.
#[derive(Debug, Default, Clone)]
pub struct Options {
    /// `Some(recursive)` for a bind mount.
    pub bind: Option<bool>,
    /// Whether an existing mount is changed.
    pub remount: bool,
    /// Attributes of the mount.
    pub top: Attributes,
    /// Attributes of the mount and all below it.
    pub tree: Attributes,
    /// `MS_…` propagation and whether it is recursive, in the order given.
    pub propagation: Vec<(u64, bool)>,
    /// Flags of the file system, as words of fsconfig(2).
    pub superblock: Vec<String>,
    /// `MS_…` flags that only mount(2) passes on.
    pub classic: u64,
    /// Whether a tmpfs starts with what lay under it.
    pub copy_up: bool,
    /// `Some(recursive)` for an id-mapped mount.
    pub id_map: Option<bool>,
    /// What the file system itself understands.
    pub data: Vec<String>,
}

impl Options {
    /// Sorts `words` into what they do. Later words win; unknown words are data of the file system.
    pub fn parse(words: &[String]) -> Self {
        let mut options = Self::default();
        for word in words {
            match OPTIONS.binary_search_by_key(&word.as_str(), |(known, _)| known) {
                Ok(index) => options.apply(word, OPTIONS[index].1),
                Err(_) => options.data.push(word.clone()),
            }
        }
        options
    }

    fn apply(&mut self, word: &str, effect: Effect) {
        match effect {
            Nothing => {}
            Set(bits) => self.top.set(bits),
            Clear(bits) => self.top.clear(bits),
            Atime(kind) => self.top.atime(kind),
            SetTree(bits) => self.tree.set(bits),
            ClearTree(bits) => self.tree.clear(bits),
            AtimeTree(kind) => self.tree.atime(kind),
            Superblock => self.superblock.push(word.to_owned()),
            Classic(flag, true) => self.classic |= flag,
            Classic(flag, false) => self.classic &= !flag,
            Propagation(kind, recursive) => self.propagation.push((kind, recursive)),
            Bind { recursive } => self.bind = Some(recursive || self.bind == Some(true)),
            Remount => self.remount = true,
            CopyUp => self.copy_up = true,
            IdMap { recursive } => self.id_map = Some(recursive || self.id_map == Some(true)),
        }
    }

    /// The attributes that a mount which has nothing below it starts with.
    pub fn attributes(&self) -> u64 {
        self.tree.set & !self.top.clear | self.top.set
    }

    /// The mode of the root directory of a tmpfs, when the data says it.
    pub fn has_mode(&self) -> bool {
        self.data.iter().any(|word| word.starts_with("mode="))
    }
}

/// The mode bits of a file, without its type.
pub fn permissions(raw_mode: u32) -> Mode {
    Mode::from_raw_mode(raw_mode & 0o7777)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Options {
        Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(OPTIONS.is_sorted_by_key(|(word, _)| *word));
    }

    #[test]
    fn the_last_word_wins() {
        assert_eq!(parse(&["ro", "rw"]).top, Attributes { set: 0, clear: attr::RDONLY });
        assert_eq!(parse(&["rw", "ro"]).attributes(), attr::RDONLY);
        assert_eq!(parse(&["noatime", "strictatime"]).attributes(), attr::STRICTATIME);
        assert_eq!(parse(&["silent", "loud"]).classic, 0);
        assert_eq!(parse(&["bind", "rbind"]).bind, Some(true));
    }

    #[test]
    fn what_is_unknown_is_data() {
        assert_eq!(parse(&["nosuid", "size=1k", "RO"]).data, ["size=1k", "RO"]);
    }
}
