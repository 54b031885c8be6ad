//! Stopping and continuing all processes of a cgroup.
//!
//! Kernel documentation: `admin-guide/cgroup-v1/freezer-subsystem.rst`; `cgroup.freeze` in `admin-guide/cgroup-v2.rst`.

use super::group::Group;
use super::tree::Tree;
use super::wait::{Deadline, TIMEOUT, wait_for_line};
use crate::error::{Error, Result};

const STATE_V1: &str = "freezer.state";
const STATE_V2: &str = "cgroup.freeze";

pub(super) fn set(tree: &Tree, frozen: bool) -> Result<()> {
    match (tree.legacy("freezer"), tree.unified()) {
        (Some(group), _) => set_v1(group, frozen),
        (None, Some(group)) => set_v2(group, frozen),
        (None, None) => Err(Error::new("no mounted cgroup hierarchy has the controller `freezer`")),
    }
}

/// Lets go on whatever is stopped in the cgroup and below, by whomever. Waits for nothing: where a cgroup above is frozen, nothing
/// goes on.
pub(super) fn thaw(tree: &Tree) -> Result<()> {
    let (group, file, value) = match (tree.legacy("freezer"), tree.unified()) {
        (Some(group), _) => (group, STATE_V1, "THAWED"),
        (None, Some(group)) => (group, STATE_V2, "0"),
        (None, None) => return Ok(()),
    };
    for group in group.with_descendants() {
        if group.read_if_there(file).is_some_and(|state| state != value) {
            group.write(file, value)?;
        }
    }
    Ok(())
}

/// Whether the cgroup is frozen or on the way to it. A cgroup that is gone is not.
pub(super) fn is_set(tree: &Tree) -> bool {
    match (tree.legacy("freezer"), tree.unified()) {
        (Some(group), _) => group.read_if_there(STATE_V1).is_some_and(|state| state != "THAWED"),
        (None, Some(group)) => group.read_if_there(STATE_V2).is_some_and(|state| state == "1"),
        (None, None) => false,
    }
}

/// Version 1 tells nobody when the last process has stopped, but each look makes the kernel look: so this looks until
/// then, and writes again, since a process that forked meanwhile has a child that was not told.
fn set_v1(group: &Group, frozen: bool) -> Result<()> {
    let wanted = if frozen { "FROZEN" } else { "THAWED" };
    let deadline = Deadline::after(TIMEOUT);
    loop {
        group.write(STATE_V1, wanted)?;
        if group.read(STATE_V1)? == wanted {
            return Ok(());
        }
        if deadline.is_over() {
            group.write(STATE_V1, "THAWED")?;
            return Err(Error::new(format!("`{}` did not freeze in time", group.dir.display())));
        }
        std::thread::yield_now();
    }
}

fn set_v2(group: &Group, frozen: bool) -> Result<()> {
    let value = |frozen: bool| if frozen { "1" } else { "0" };
    group.write(STATE_V2, value(frozen))?;
    let line = format!("frozen {}", value(frozen));
    wait_for_line(group, "cgroup.events", &line, Deadline::after(TIMEOUT)).or_else(|error| {
        group.write(STATE_V2, value(false))?;
        Err(error)
    })
}
