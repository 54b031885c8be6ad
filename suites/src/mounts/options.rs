//! The option words of `config.md#linux-mount-options`, with the meaning that mount(8) gives them.

use super::entry::Entry;

/// What a word asks for, as the kernel's list of mounts shows it.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) name: &'static str,
    /// Of the words with the same subject the last one counts.
    subject: &'static str,
    /// What the list must show, for the mount or for its filesystem.
    pub(super) shows: &'static [&'static str],
    /// What it must not show.
    pub(super) hides: &'static [&'static str],
}

impl Word {
    /// Whether it concerns everything that is mounted below, too.
    pub(super) fn is_recursive(&self) -> bool {
        RECURSIVE.iter().any(|word| word.name == self.name)
    }
}

const fn set(name: &'static str, subject: &'static str, shows: &'static [&'static str]) -> Word {
    Word { name, subject, shows, hides: &[] }
}

const fn clear(name: &'static str, subject: &'static str, hides: &'static [&'static str]) -> Word {
    Word { name, subject, shows: &[], hides }
}

/// Words for one mount or its filesystem. `relatime` is what the kernel does unless told otherwise.
const PLAIN: &[Word] = &[
    set("ro", "ro", &["ro"]),
    clear("rw", "ro", &["ro"]),
    set("nosuid", "suid", &["nosuid"]),
    clear("suid", "suid", &["nosuid"]),
    set("nodev", "dev", &["nodev"]),
    clear("dev", "dev", &["nodev"]),
    set("noexec", "exec", &["noexec"]),
    clear("exec", "exec", &["noexec"]),
    set("nosymfollow", "symfollow", &["nosymfollow"]),
    clear("symfollow", "symfollow", &["nosymfollow"]),
    set("nodiratime", "diratime", &["nodiratime"]),
    clear("diratime", "diratime", &["nodiratime"]),
    set("noatime", "atime", &["noatime"]),
    clear("atime", "atime", &["noatime"]),
    set("relatime", "atime", &["relatime"]),
    clear("norelatime", "atime", &["noatime"]),
    clear("strictatime", "atime", &["relatime", "noatime"]),
    set("nostrictatime", "atime", &["relatime"]),
    set("sync", "sync", &["sync"]),
    clear("async", "sync", &["sync"]),
    set("dirsync", "dirsync", &["dirsync"]),
    set("lazytime", "lazytime", &["lazytime"]),
    clear("nolazytime", "lazytime", &["lazytime"]),
    // What these do cannot be seen. They must be understood all the same: as data no filesystem would take them.
    set("iversion", "iversion", &[]),
    set("noiversion", "iversion", &[]),
    set("silent", "silent", &[]),
    set("loud", "silent", &[]),
    set("defaults", "defaults", &["rw"]),
];

/// Words for a tree of mounts.
const RECURSIVE: &[Word] = &[
    set("rro", "ro", &["ro"]),
    clear("rrw", "ro", &["ro"]),
    set("rnosuid", "suid", &["nosuid"]),
    clear("rsuid", "suid", &["nosuid"]),
    set("rnodev", "dev", &["nodev"]),
    clear("rdev", "dev", &["nodev"]),
    set("rnoexec", "exec", &["noexec"]),
    clear("rexec", "exec", &["noexec"]),
    set("rnosymfollow", "symfollow", &["nosymfollow"]),
    clear("rsymfollow", "symfollow", &["nosymfollow"]),
    set("rnodiratime", "diratime", &["nodiratime"]),
    clear("rdiratime", "diratime", &["nodiratime"]),
    set("rnoatime", "atime", &["noatime"]),
    clear("ratime", "atime", &["noatime"]),
    set("rrelatime", "atime", &["relatime"]),
    clear("rnorelatime", "atime", &["noatime"]),
    clear("rstrictatime", "atime", &["relatime", "noatime"]),
    set("rnostrictatime", "atime", &["relatime"]),
];

/// A word by its name.
///
/// # Panics
/// When it is in no table.
pub(super) fn word(name: &str) -> &'static Word {
    find(name).unwrap_or_else(|| panic!("{name} is in no table of words"))
}

fn find(name: &str) -> Option<&'static Word> {
    PLAIN.iter().chain(RECURSIVE).find(|word| word.name == name)
}

/// Whether a word is in force for an entry: it is there, and no later one of the same subject follows.
pub(super) fn is_in_force(word: &Word, entry: &Entry<'_>) -> bool {
    let mut last = entry.options.iter().rev().filter_map(|&option| find(option));
    last.find(|other| other.subject == word.subject).is_some_and(|last| last.name == word.name)
}

#[cfg(test)]
mod tests {
    use super::super::entry::entries;
    use super::*;
    use plimsoll_fixtures::Config;
    use serde_json::json;

    #[test]
    fn of_one_subject_the_last_word_counts() {
        let options = ["ro", "noatime", "rw", "relatime", "nosuid"];
        let config = Config(json!({ "mounts": [{ "destination": "/m", "options": options }] }));
        let entry = &entries(&config)[0];
        let in_force: Vec<&str> = options.into_iter().filter(|name| is_in_force(word(name), entry)).collect();
        assert_eq!(in_force, ["rw", "relatime", "nosuid"]);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = PLAIN.iter().chain(RECURSIVE).map(|word| word.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PLAIN.len() + RECURSIVE.len());
    }
}
