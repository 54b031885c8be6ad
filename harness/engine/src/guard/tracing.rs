//! Kernel tracing: its settings, and the probes in the kernel and in programs.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::member::{below, member, value, write};
use crate::system::kernel_fs::TRACEFS;

pub(super) const NAMED: &str = "tracefs:";

const FILES: [&str; 6] =
    ["current_tracer", "dynamic_events", "set_event", "set_ftrace_filter", "trace_clock", "tracing_on"];

pub(super) fn members() -> io::Result<BTreeMap<PathBuf, String>> {
    let Some(root) = TRACEFS.root() else { return Ok(BTreeMap::new()) };
    let shown = |file: &str| Some((member(NAMED, file), value(&root.join(file))?));
    Ok(FILES.into_iter().filter_map(shown).collect())
}

pub(super) fn restore(member: &Path, was: Option<&str>) -> io::Result<()> {
    let was = was.ok_or_else(|| io::Error::other(format!("{} cannot be removed", member.display())))?;
    write(&TRACEFS.expected()?.join(below(member, NAMED)?), was)
}
