//! Changes of the whole host that came up while several checks ran: each of those checks runs again, by itself, on a host
//! that was put back. What does not come again was somebody else's doing, and is left as that program made it.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use crate::guard::{Change, KernelState};

/// The state of the kernel that checks are to leave, and what has changed since.
#[derive(Debug)]
pub(crate) struct HostChanges {
    expected: Arc<KernelState>,
    /// Undone, and not yet known whose.
    open: BTreeSet<Change>,
}

impl HostChanges {
    pub(crate) fn new(expected: &Arc<KernelState>) -> Self {
        Self { expected: Arc::clone(expected), open: BTreeSet::new() }
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
    pub(crate) fn put_back(&self) -> io::Result<()> {
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
        Ok(())
    }
}
