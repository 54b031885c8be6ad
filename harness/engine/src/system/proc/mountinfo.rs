//! `/proc/PID/mountinfo`: the mounts of a process, and which of them a path leads to. See proc_pid_mountinfo(5).

use std::io;
use std::path::Path;

use serde::Serialize;

use super::files::malformed;

/// One mount, as the process sees it from its root directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// Number of the mount.
    pub id: u64,
    /// Number of the mount that it is attached to.
    pub parent: u64,
    /// `major:minor` of the filesystem.
    pub device: String,
    /// Directory of the filesystem that is the root of this mount.
    pub root: String,
    /// Where it is mounted.
    pub point: String,
    /// Options of this mount: `rw`, `nosuid`, `relatime`, …
    pub options: Vec<String>,
    /// `shared:N`, `master:N`, `propagate_from:N`, `unbindable`.
    pub tags: Vec<String>,
    /// Type of the filesystem.
    pub kind: String,
    /// The source of the mount.
    pub source: String,
    /// Options of the filesystem, shared by all its mounts.
    pub super_options: Vec<String>,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        // A source may be empty, so each single blank separates.
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ');
        let mut back = back.split(' ');
        Some(Self {
            id: front.next()?.parse().ok()?,
            parent: front.next()?.parse().ok()?,
            device: front.next()?.to_owned(),
            root: unescape(front.next()?),
            point: unescape(front.next()?),
            options: options(front.next()?),
            tags: front.map(str::to_owned).collect(),
            kind: unescape(back.next()?),
            source: unescape(back.next()?),
            super_options: options(back.next()?),
        })
    }

    /// The line of the file without the numbers, which differ although nothing else does: two mounts with the same
    /// description are the same to a reader.
    #[must_use]
    pub fn description(&self) -> String {
        let Self { device, root, point, kind, source, .. } = self;
        let (options, tags) = (self.options.join(","), self.tags.join(" "));
        let super_options = self.super_options.join(",");
        format!("{point} {options} {tags} - {kind} {source} {super_options} (root {root} of {device})")
    }

    /// Whether this mount has an option, for itself or for its filesystem.
    #[must_use]
    pub fn has_option(&self, option: &str) -> bool {
        self.options.iter().chain(&self.super_options).any(|has| has == option)
    }
}

fn options(text: &str) -> Vec<String> {
    text.split(',').map(unescape).collect()
}

/// Parses the file.
///
/// # Errors
/// When a line has another form.
pub fn parse(text: &str) -> io::Result<Vec<Mount>> {
    text.lines().map(|line| Mount::parse(line).ok_or_else(|| malformed(line))).collect()
}

/// The mount that a path leads to when it is a mount point: of several stacked there, the one on top. `None` when
/// nothing is mounted there, or when it is hidden below another mount.
#[must_use]
pub fn mount_at<'a>(mounts: &'a [Mount], point: &str) -> Option<&'a Mount> {
    // The order of lines is that of creation, and a mount may be attached long after it was made: the stacking is
    // told by the parents alone.
    mounts.iter().rev().find(|mount| mount.point == point && is_visible(mounts, mount))
}

/// Whether a path leads to this mount: nothing is mounted over it or over a directory above it.
#[must_use]
pub fn is_visible(mounts: &[Mount], mount: &Mount) -> bool {
    let covers = |over: &&Mount| over.parent == mount.id && over.id != mount.id && over.point == mount.point;
    // What is mounted over the root directory is not where the paths of this process begin.
    let covered = mount.point != "/" && mounts.iter().any(|over| covers(&over));
    !covered && is_reachable(mounts, mount)
}

fn is_reachable(mounts: &[Mount], mount: &Mount) -> bool {
    let mut here = mount;
    // A cycle cannot be, but the file may be forged in tests: no chain is longer than the list.
    for _ in 0..mounts.len() {
        let hides = |other: &&Mount| other.parent == here.parent && other.id != here.id && other.is_above(here);
        if mounts.iter().any(|other| hides(&other)) {
            return false;
        }
        match mounts.iter().find(|other| other.id == here.parent && other.id != here.id) {
            Some(_) if here.point == "/" => return false,
            Some(parent) => here = parent,
            None => return true,
        }
    }
    true
}

impl Mount {
    /// Whether its mount point is a directory strictly above that of another.
    fn is_above(&self, other: &Mount) -> bool {
        self.point != "/" && self.point != other.point && Path::new(&other.point).starts_with(&self.point)
    }
}

/// Undoes the `\040` form of blank, tab, newline, backslash and `#`.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match octal(&bytes[at..]) {
            Some(byte) => {
                plain.push(byte);
                at += 4;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn octal(bytes: &[u8]) -> Option<u8> {
    let [b'\\', digits @ ..] = bytes else { return None };
    let digits = std::str::from_utf8(digits.get(..3)?).ok()?;
    u8::from_str_radix(digits, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_and_escapes_are_undone() {
        let text = "36 35 98:0 /mnt\\0401 /mnt\\0112\\134x rw,noatime shared:1 master:2 - ext3 /dev/root\\043 rw,errors=a\\040b\n\
                    37 36 0:5 / /e ro - tmpfs  rw\n";
        let mounts = parse(text).unwrap();
        let first = &mounts[0];
        assert_eq!((first.id, first.parent, first.device.as_str()), (36, 35, "98:0"));
        assert_eq!((first.root.as_str(), first.point.as_str()), ("/mnt 1", "/mnt\t2\\x"));
        assert_eq!(first.options, ["rw", "noatime"]);
        assert_eq!(first.tags, ["shared:1", "master:2"]);
        assert_eq!((first.kind.as_str(), first.source.as_str()), ("ext3", "/dev/root#"));
        assert_eq!(first.super_options, ["rw", "errors=a b"]);
        assert!(first.has_option("noatime") && first.has_option("errors=a b") && !first.has_option("ro"));
        assert_eq!((mounts[1].tags.len(), mounts[1].source.as_str(), mounts[1].kind.as_str()), (0, "", "tmpfs"));
    }

    #[test]
    fn a_backslash_that_escapes_nothing_stays() {
        assert_eq!(unescape("a\\9x\\04"), "a\\9x\\04");
        assert_eq!(unescape("\\303\\244"), "ä");
        assert_eq!(unescape("\\777"), "\\777");
    }

    #[test]
    fn a_broken_line_is_an_error_that_shows_it() {
        assert!(parse("36 35 98:0 / /mnt rw ext3 /dev/root rw").unwrap_err().to_string().contains("/mnt"));
    }

    /// Mounts from (id, parent, point).
    fn tree(rows: &[(u64, u64, &str)]) -> Vec<Mount> {
        let line = |(id, parent, point): &(u64, u64, &str)| format!("{id} {parent} 0:{id} / {point} rw - tmpfs t rw\n");
        parse(&rows.iter().map(line).collect::<String>()).unwrap()
    }

    #[test]
    fn of_stacked_mounts_the_one_on_top_counts_whatever_the_order() {
        let at = |rows: &[(u64, u64, &str)]| mount_at(&tree(rows), "/a").map(|mount| mount.id);
        assert_eq!(at(&[(1, 0, "/"), (2, 1, "/a"), (3, 2, "/a")]), Some(3));
        assert_eq!(at(&[(1, 0, "/"), (2, 3, "/a"), (3, 1, "/a")]), Some(2));
        assert_eq!(at(&[(1, 0, "/"), (2, 1, "/ab")]), None);
    }

    #[test]
    fn a_mount_below_a_later_mount_is_hidden() {
        let hidden = tree(&[(1, 0, "/"), (2, 1, "/a/b"), (3, 2, "/a/b/c"), (4, 1, "/a"), (5, 4, "/a/b/d")]);
        let seen: Vec<u64> = hidden.iter().filter(|mount| is_visible(&hidden, mount)).map(|mount| mount.id).collect();
        assert_eq!(seen, [1, 4, 5]);
        assert_eq!(mount_at(&hidden, "/a/b"), None);
    }

    #[test]
    fn a_mount_over_the_root_hides_nothing_from_those_whose_root_is_below_it() {
        let mounts = tree(&[(1, 0, "/"), (2, 1, "/a"), (3, 1, "/"), (4, 3, "/b")]);
        assert_eq!(mount_at(&mounts, "/").map(|mount| mount.id), Some(1));
        assert_eq!(mount_at(&mounts, "/a").map(|mount| mount.id), Some(2));
        assert_eq!(mount_at(&mounts, "/b"), None);
    }
}
