//! Changes of the whole host that came up while several checks ran: each of those checks runs again, by itself, on a host
//! that was put back. What does not come again was somebody else's doing, and is left as that program made it.

use std::collections::BTreeSet;
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
    /// Undone, and not yet known whose.
    open: BTreeSet<Change>,
    lock: Option<HostLock>,
}

impl HostChanges {
    pub(crate) fn new(expected: &Arc<KernelState>) -> Self {
        Self { expected: Arc::clone(expected), open: BTreeSet::new(), lock: None }
    }

    /// The state to be found after a check.
    pub(crate) fn expected(&self) -> Arc<KernelState> {
        Arc::clone(&self.expected)
    }

    /// Takes note of what was found while several checks ran.
    pub(crate) fn note(&mut self, changes: Vec<Change>) {
        self.open.extend(changes);
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
        self.look()?.iter().for_each(|change| change.undo().unwrap_or_default());
        Ok(())
    }

    /// These came again when a check ran by itself, which has undone them.
    pub(crate) fn blame(&mut self, changes: &[Change]) {
        self.open.retain(|change| !changes.contains(change));
    }

    /// Nobody is left who could have made the open changes: they are how the host is now.
    pub(crate) fn accept(&mut self) -> io::Result<()> {
        for change in std::mem::take(&mut self.open) {
            // One that could not be undone is still in force.
            change.redo().unwrap_or_default();
            Arc::make_mut(&mut self.expected).accept(&change);
        }
        self.lock = None;
        Ok(())
    }
}
