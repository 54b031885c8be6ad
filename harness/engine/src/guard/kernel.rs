//! Kernel state that a runtime can change for the whole host, whatever its namespaces: settings of the kernel and its modules, swap, loop
//! devices, the clock. All checks of a run share it, so a change can only be attributed when nothing else runs; see
//! [`crate::run::schedule`].

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use plimsoll_reports::model::Finding;
use serde::{Deserialize, Serialize};

use super::host_wide::{KINDS, Kind};
use super::member::{value, write};
use super::watched::watched;
use super::{loops, nodes, superblocks};
use crate::system::run_id::PREFIX;
use crate::system::sys;

/// A clock that a time service steers moves by less than this while a check runs.
const DRIFT_MS: i64 = 500;

/// The state of the host's kernel, as far as a runtime may have reached it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelState {
    values: BTreeMap<PathBuf, String>,
    /// Loop devices that other programs attached since, and what they show: what becomes of those is theirs.
    of_others: BTreeMap<PathBuf, String>,
    /// Wall clock minus time since boot.
    clock_ms: i64,
}

/// One difference between two states.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Change {
    /// A file has another content.
    Value {
        /// The file.
        path: PathBuf,
        /// Its content before; `None` where there was no such file.
        before: Option<String>,
        /// Its content after.
        after: Option<String>,
    },
    /// The wall clock was set.
    Clock {
        /// By so many milliseconds.
        by_ms: i64,
    },
}

impl KernelState {
    /// The state at this time.
    ///
    /// # Errors
    /// When `/proc` or `/sys` cannot be listed.
    pub fn now() -> io::Result<Self> {
        let mut values = BTreeMap::new();
        for path in watched()? {
            if let Some(value) = value(path) {
                values.insert(path.clone(), value);
            }
        }
        // What shows a file of a run is the business of its check, and of the guard there.
        values.extend(loops::attached()?.into_iter().filter(|(_, shown)| !shown.contains(PREFIX)));
        for kind in &KINDS {
            values.extend((kind.members)()?);
        }
        Ok(Self { values, of_others: BTreeMap::new(), clock_ms: sys::wall_clock_offset_ms()? })
    }

    /// What is different now. A state without values (none was taken) differs from nothing.
    ///
    /// # Errors
    /// As [`KernelState::now`].
    pub fn changes(&self) -> io::Result<Vec<Change>> {
        if self.values.is_empty() {
            return Ok(Vec::new());
        }
        let mut now = Self::now()?;
        now.values.retain(|path, shown| self.of_others.get(path) != Some(shown) && !self.came_up(path, shown));
        superblocks::leave_options(&self.values, &mut now.values);
        Ok(self.compared_with(&now))
    }

    /// Whether this is the node of a device that came up since.
    fn came_up(&self, path: &Path, shown: &str) -> bool {
        nodes::is_member(path) && !self.values.contains_key(path) && nodes::is_of_the_kernel(path, shown)
    }

    /// From now on this change is how the host is.
    pub fn accept(&mut self, change: &Change) {
        match change {
            Change::Value { path, after: Some(after), .. } if change.attaches() => {
                self.of_others.insert(path.clone(), after.clone());
            }
            Change::Value { path, after: Some(after), .. } => drop(self.values.insert(path.clone(), after.clone())),
            Change::Value { path, after: None, .. } => drop(self.values.remove(path)),
            Change::Clock { by_ms } => self.clock_ms += by_ms,
        }
    }

    fn compared_with(&self, now: &Self) -> Vec<Change> {
        let mut paths: Vec<&PathBuf> = self.values.keys().chain(now.values.keys()).collect();
        paths.sort();
        paths.dedup();
        let differs = |path: &&PathBuf| self.values.get(*path) != now.values.get(*path);
        let value = |path: &PathBuf| Change::Value {
            path: path.clone(),
            before: self.values.get(path).cloned(),
            after: now.values.get(path).cloned(),
        };
        let by_ms = now.clock_ms - self.clock_ms;
        let clock = (by_ms.abs() > DRIFT_MS).then_some(Change::Clock { by_ms });
        paths.into_iter().filter(differs).map(value).chain(clock).collect()
    }
}

impl Change {
    /// Whether both are about the same setting, or the clock.
    #[must_use]
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value { path, .. }, Self::Value { path: others, .. }) => path == others,
            (Self::Clock { .. }, Self::Clock { .. }) => true,
            _ => false,
        }
    }

    /// Whether a loop device shows another file than before, or none, or one for the first time.
    #[must_use]
    pub fn is_of_a_loop_device(&self) -> bool {
        matches!(self, Self::Value { path, .. } if loops::is_backing_file(path))
    }

    /// Whether a loop device shows a file that it did not show before.
    #[must_use]
    pub fn attaches(&self) -> bool {
        matches!(self, Self::Value { before: None, .. }) && self.is_of_a_loop_device()
    }

    /// Whether both attach a loop device to one file.
    #[must_use]
    pub fn attaches_the_file_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value { after: own, .. }, Self::Value { after: others, .. }) => {
                self.attaches() && other.attaches() && own == others
            }
            _ => false,
        }
    }

    /// Makes the host as it was before.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn undo(&self) -> io::Result<()> {
        match self {
            Self::Value { path, .. } if self.attaches() => loops::detach(path),
            Self::Value { path, before, .. } => make(path, before.as_deref()),
            Self::Clock { by_ms } => sys::move_wall_clock(-by_ms),
        }
    }

    /// Makes the host again as it was after the change: it was not the runtime's doing.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn redo(&self) -> io::Result<()> {
        match self {
            Self::Value { path, after, .. } => make(path, after.as_deref()),
            Self::Clock { by_ms } => sys::move_wall_clock(*by_ms),
        }
    }

    /// The change as a finding; `undone` says what came of [`Change::undo`].
    #[must_use]
    pub fn finding(&self, undone: &io::Result<()>) -> Finding {
        let (what, observed) = self.words();
        let undone =
            undone.as_ref().map_or_else(|why| format!("cannot be put back: {why}"), |()| "put back".to_owned());
        Finding {
            what: format!("{what} of the host"),
            expected: "as before".to_owned(),
            observed: format!("{observed} ({undone})"),
        }
    }

    /// What has changed, and how.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        match self {
            Self::Value { path, before, after } => {
                let value = |value: &Option<String>| value.as_deref().unwrap_or("not there").trim().to_owned();
                (path.display().to_string(), format!("{}, was {}", value(after), value(before)))
            }
            Self::Clock { by_ms } => ("the wall clock".to_owned(), format!("moved by {by_ms} ms")),
        }
    }
}

/// Undoes changes, and returns a finding for each.
#[must_use]
pub fn undo_all(changes: &[Change]) -> Vec<Finding> {
    changes.iter().map(|change| change.finding(&change.undo())).collect()
}

/// Gives a setting a value; nothing where there was none.
fn make(path: &Path, value: Option<&str>) -> io::Result<()> {
    match (Kind::of(path), value) {
        (Some(kind), value) => (kind.restore)(path, value),
        (None, Some(_)) if path == Path::new("/proc/swaps") || loops::is_backing_file(path) => {
            Err(io::Error::other("it is gone"))
        }
        (None, Some(value)) => write(path, value),
        (None, None) => Err(io::Error::other(format!("{} cannot be removed", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn state(values: &[(&str, &str)], clock_ms: i64) -> KernelState {
        let values = values.iter().map(|(path, value)| (PathBuf::from(path), (*value).to_owned())).collect();
        KernelState { values, clock_ms, ..KernelState::default() }
    }

    #[test]
    fn what_changed_is_told_with_both_values() {
        let (before, after) =
            (state(&[("/a", "1"), ("/b", "2"), ("/c", "3")], 0), state(&[("/a", "1"), ("/b", "5")], 3));
        let changes = before.compared_with(&after);
        let told: Vec<String> = changes.iter().map(|change| change.finding(&Ok(())).observed).collect();
        assert_eq!(told, ["5, was 2 (put back)", "not there, was 3 (put back)"]);
    }

    #[test]
    fn only_a_clock_that_was_set_counts() {
        assert!(state(&[], 0).compared_with(&state(&[], 400)).is_empty());
        assert_eq!(state(&[], 0).compared_with(&state(&[], -3_600_000)), [Change::Clock { by_ms: -3_600_000 }]);
    }

    #[test]
    fn two_looks_at_a_quiet_host_are_the_same() {
        let before = KernelState::now().unwrap();
        assert!(before.values.len() > 50, "{} settings", before.values.len());
        assert!(before.values.contains_key(Path::new("/proc/sys/vm/swappiness")), "the memory settings are watched");
        assert!(!before.values.contains_key(Path::new("/proc/sys/kernel/hostname")), "a namespace has its own");
    }

    #[test]
    fn what_is_undone_is_written_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("setting");
        fs::write(&path, "0\n").unwrap();
        Change::Value { path: path.clone(), before: Some("3\n".into()), after: Some("0\n".into()) }.undo().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "3\n");
        let gone = Change::Value { path, before: None, after: Some("1".into()) };
        assert!(gone.finding(&gone.undo()).observed.contains("cannot be put back"));
    }
}
