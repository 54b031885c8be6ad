//! No cgroup: what a rootless runtime does where nothing was delegated to it.
//!
//! The container stays in the cgroup of its caller. A limit that was asked for is an error, since nobody would keep
//! it; device rules are not, since a user namespace opens no device by itself.

use rustix::process::{Gid, Pid, Uid};

use super::{Below, Cgroup, Entry, Host, Mounts, OomEvents, PreparedRules, Stats};
use crate::config::{DeviceRule, Resources};
use crate::error::{Error, Result};

/// The cgroup of a container that has none of its own.
#[derive(Debug)]
pub(super) struct Absent {
    host: Host,
}

impl Absent {
    pub(super) fn new(host: &Host) -> Self {
        Self { host: host.clone() }
    }
}

fn needed(what: &str) -> Error {
    Error::new(format!("{what} needs a cgroup, and none is delegated to this user; use a systemd user session"))
}

impl Cgroup for Absent {
    fn is_own(&self) -> bool {
        false
    }

    fn make(&self) -> Result<()> {
        Ok(())
    }

    fn entry(&self, _: Option<Pid>) -> Result<Entry> {
        Ok(Entry::default())
    }

    fn entry_below(&self, _: &[Below]) -> Result<Entry> {
        Err(needed("--cgroup"))
    }

    fn adopt(&self, _: Pid) -> Result<()> {
        Ok(())
    }

    fn adopts(&self) -> bool {
        false
    }

    fn apply(&self, resources: &Resources) -> Result<()> {
        let only_devices = Resources { devices: resources.devices.clone(), ..Resources::default() };
        if *resources == only_devices { Ok(()) } else { Err(needed("linux.resources: a limit")) }
    }

    fn prepare_device_rules(&self, _: &[DeviceRule]) -> Result<PreparedRules> {
        Ok(PreparedRules::none())
    }

    fn hand_over(&self, _: Uid, _: Gid) -> Result<()> {
        Ok(())
    }

    fn freeze(&self, _: bool) -> Result<()> {
        Err(needed("pause"))
    }

    fn thaw(&self) -> Result<()> {
        Ok(())
    }

    fn is_frozen(&self) -> Result<bool> {
        Ok(false)
    }

    /// Nobody is in a cgroup that is not there; who is in the caller's is not the container's business.
    fn kill(&self) -> Result<()> {
        Ok(())
    }

    fn processes(&self) -> Result<Vec<Pid>> {
        Err(needed("the list of processes"))
    }

    fn stats(&self) -> Result<Stats> {
        Err(needed("statistics"))
    }

    fn oom_events(&self) -> Result<OomEvents> {
        Err(needed("to watch memory"))
    }

    fn remove(&self) -> Result<()> {
        Ok(())
    }

    fn mounts(&self) -> Mounts {
        Mounts::new(&self.host, |hierarchy| hierarchy.dir(&hierarchy.own))
    }
}
