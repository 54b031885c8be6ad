//! Kernel state that is shared by the whole host and is not a single file. Each kind has named members and can restore one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::member::is_named;
use super::{clock, handlers, nodes, superblocks, tracing};

/// Members of one kind.
pub(super) struct Kind {
    /// How the names of its members begin.
    named: &'static str,
    /// All members, by name, and what each one is.
    pub(super) members: fn() -> io::Result<BTreeMap<PathBuf, String>>,
    /// Makes a member what it was: nothing where there was none.
    pub(super) restore: fn(member: &Path, was: Option<&str>) -> io::Result<()>,
}

pub(super) const KINDS: [Kind; 5] = [
    Kind { named: nodes::NAMED, members: nodes::members, restore: nodes::restore },
    Kind { named: handlers::NAMED, members: handlers::members, restore: handlers::restore },
    Kind { named: tracing::NAMED, members: tracing::members, restore: tracing::restore },
    Kind { named: superblocks::NAMED, members: superblocks::members, restore: superblocks::restore },
    Kind { named: clock::NAMED, members: clock::members, restore: clock::restore },
];

impl Kind {
    /// The kind that this is the name of a member of.
    pub(super) fn of(member: &Path) -> Option<&'static Self> {
        KINDS.iter().find(|kind| is_named(member, kind.named))
    }
}
