//! A cgroup kept by systemd: a transient unit, below which it leaves everything to us (`Delegate=`).
//!
//! systemd's own documentation: "Control Group APIs and Delegation"; org.freedesktop.systemd1(5). The directories are
//! made as without systemd, and the child is put into them; then systemd is told of it and makes the unit around it.
//! Since systemd writes the limits it knows of, they are given to it as properties, and written again after it.

mod bus;
mod properties;

use std::cell::RefCell;
use std::path::Path;

use rustix::process::{Gid, Pid, Uid};

use self::bus::Bus;
use super::host::Version;
use super::tree::Tree;
use super::{Below, Cgroup, Entry, Mounts, OomEvents, PreparedRules, Stats};
use crate::config::{DeviceRule, Resources};
use crate::error::{Error, Result};

/// The transient unit of a container.
#[derive(Debug)]
pub(super) struct Scope {
    slice: String,
    unit: String,
    user: bool,
    tree: Tree,
    limits: RefCell<Resources>,
}

impl Scope {
    pub(super) fn new(slice: &str, unit: &str, user: bool, tree: Tree) -> Result<Self> {
        // sd_booted(3).
        if !Path::new("/run/systemd/system").is_dir() {
            return Err(Error::new("--systemd-cgroup needs systemd as the init of this host; leave the option out"));
        }
        let limits = RefCell::default();
        Ok(Self { slice: slice.to_owned(), unit: unit.to_owned(), user, tree, limits })
    }

    fn version(&self) -> Version {
        if self.tree.legacy("memory").is_some() { Version::V1 } else { Version::V2 }
    }

    fn bus(&self) -> Result<Bus> {
        Bus::connect(self.user)
    }
}

impl Cgroup for Scope {
    fn make(&self) -> Result<()> {
        self.tree.make()
    }

    /// The init process is moved by [`Cgroup::adopt`], but for a version 2 cgroup, which it is created in.
    fn entry(&self, init: Option<Pid>) -> Result<Entry> {
        match (init, self.tree.unified()) {
            (None, Some(group)) if !self.tree.is_hybrid() => Entry::open(Some(&group.dir), std::iter::empty()),
            (None, _) => Ok(Entry::default()),
            (Some(_), _) => self.tree.entry(init),
        }
    }

    fn entry_below(&self, chosen: &[Below]) -> Result<Entry> {
        self.tree.entry_below(chosen)
    }

    /// While it starts the unit, systemd removes cgroups of version 1 that it has no use for, such as that of the device
    /// rules, and moves processes out of them. So they are made again and the child is put into them after that; how
    /// long it takes does not matter beside what systemd takes.
    fn adopt(&self, child: Pid) -> Result<()> {
        let limits = self.limits.borrow();
        let mut wanted = properties::of_unit(&self.slice, &self.unit, child, self.version());
        wanted.extend(properties::of_limits(&limits, self.version()));
        self.bus()?.start(&self.unit, wanted)?;
        self.tree.make()?;
        for member in self.tree.members().iter().filter(|_| self.version() == Version::V1) {
            member.group.write("cgroup.procs", &child.as_raw_nonzero().to_string())?;
        }
        self.tree.apply(&limits)
    }

    fn adopts(&self) -> bool {
        true
    }

    /// Before the unit exists the limits are kept for [`Cgroup::adopt`]; later they are changed in systemd too.
    fn apply(&self, resources: &Resources) -> Result<()> {
        self.limits.replace(resources.clone());
        let wanted = properties::of_limits(resources, self.version());
        if !wanted.is_empty() {
            self.bus()?.set(&self.unit, wanted)?;
        }
        self.tree.apply(resources)
    }

    fn prepare_device_rules(&self, rules: &[DeviceRule]) -> Result<PreparedRules> {
        self.tree.prepare_device_rules(rules)
    }

    fn hand_over(&self, uid: Uid, gid: Gid) -> Result<()> {
        self.tree.hand_over(uid, gid)
    }

    fn freeze(&self, frozen: bool) -> Result<()> {
        self.tree.freeze(frozen)
    }

    fn thaw(&self) -> Result<()> {
        self.tree.thaw()
    }

    fn is_frozen(&self) -> Result<bool> {
        self.tree.is_frozen()
    }

    fn kill(&self) -> Result<()> {
        self.tree.kill()
    }

    fn processes(&self) -> Result<Vec<Pid>> {
        self.tree.processes()
    }

    fn stats(&self) -> Result<Stats> {
        self.tree.stats()
    }

    fn oom_events(&self) -> Result<OomEvents> {
        self.tree.oom_events()
    }

    fn remove(&self) -> Result<()> {
        self.bus()?.stop(&self.unit)?;
        self.tree.remove()
    }

    fn mounts(&self) -> Mounts {
        self.tree.mounts()
    }
}
