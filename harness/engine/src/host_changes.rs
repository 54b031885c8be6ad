//! Changes of the whole host that came up while several checks ran: each of those checks runs again, by itself, on a host
//! that was put back. What does not come again was somebody else's doing, and is left as that program made it.

use std::fs::File;
use std::io;
use std::sync::Arc;

use nix::fcntl::{Flock, FlockArg};

use crate::guard::{Change, KernelState};

/// Held while one check has the host for itself: all runs on this host lock the same directory of sysfs, so that none
/// takes what another puts back for the doing of its runtime.
#[derive(Debug)]
pub(crate) struct HostLock(#[expect(dead_code, reason = "it is released when it is dropped")] Flock<File>);

impl HostLock {
    /// Waits for it.
    pub(crate) fn take() -> io::Result<Self> {
        let lock = Flock::lock(File::open("/sys/kernel")?, FlockArg::LockExclusive);
        lock.map(Self).map_err(|(_, why)| why.into())
    }
}

/// The state of the kernel that checks are to leave, and what has changed since.
#[derive(Debug)]
pub(crate) struct HostChanges {
    expected: Arc<KernelState>,
    /// Undone by this run, and not yet known whose. What another run has undone is not among them.
    undone: Vec<Change>,
    lock: Option<HostLock>,
}

impl HostChanges {
    pub(crate) fn new(expected: &Arc<KernelState>) -> Self {
        Self { expected: Arc::clone(expected), undone: Vec::new(), lock: None }
    }

    /// The state to be found after a check.
    pub(crate) fn expected(&self) -> Arc<KernelState> {
        Arc::clone(&self.expected)
    }

    /// What differs at this time.
    pub(crate) fn look(&self) -> io::Result<Vec<Change>> {
        self.expected.changes()
    }

    /// Puts the host back, before a check runs by itself. What the kernel does not take back stays a difference that the
    /// check is told of, and cannot put back either.
    pub(crate) fn put_back(&mut self) -> io::Result<()> {
        if self.lock.is_none() {
            self.lock = Some(HostLock::take()?);
        }
        for change in self.look()? {
            change.undo().unwrap_or_default();
            self.undone.retain(|before| !before.is_about_the_same(&change));
            self.undone.push(change);
        }
        Ok(())
    }

    /// These came again when a check ran by itself, which has undone them.
    pub(crate) fn blame(&mut self, changes: &[Change]) {
        self.undone.retain(|change| !changes.iter().any(|again| again.is_about_the_same(change)));
    }

    /// No check is left that could have made the changes that were undone: they are how the host is now.
    pub(crate) fn accept(&mut self) -> io::Result<()> {
        for change in std::mem::take(&mut self.undone) {
            // One that could not be undone is still in force.
            change.redo().unwrap_or_default();
            Arc::make_mut(&mut self.expected).accept(&change);
        }
        self.lock = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn change(path: &Path, after: &str) -> Change {
        Change::Value { path: path.to_owned(), before: Some("3".into()), after: Some(after.into()) }
    }

    fn changes(undone: Vec<Change>) -> HostChanges {
        HostChanges { undone, ..HostChanges::new(&Arc::default()) }
    }

    #[test]
    fn what_did_not_come_again_is_left_as_it_was_made() {
        let dir = tempfile::tempdir().unwrap();
        let (own, others) = (dir.path().join("own"), dir.path().join("others"));
        for path in [&own, &others] {
            std::fs::write(path, "3").unwrap();
        }
        let mut host = changes(vec![change(&own, "4"), change(&others, "4")]);
        // The runtime made it again, with another value.
        host.blame(&[change(&own, "5")]);
        host.accept().unwrap();
        let value = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!((value(&own), value(&others)), ("3".into(), "4".into()));
    }

    /// Another run has undone it before this one could.
    #[test]
    fn what_was_not_undone_here_is_not_made_again() {
        let mut host = changes(Vec::new());
        host.put_back().unwrap();
        assert!(host.undone.is_empty());
    }
}
