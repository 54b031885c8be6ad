//! The cgroup: a directory in each hierarchy, joined without waiting for a grace period.

use std::io;
use std::path::PathBuf;

use plimsoll_engine::cgroup::Hierarchy;
use plimsoll_fixtures::Config;
use plimsoll_foreign::read;
use serde_json::Value;

use super::filter::device_program;
use super::writer::{HERE, Plan};

/// The devices that are left to a container whose rules refuse all: version 1's own words.
const DEVICES: [&str; 10] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
];

/// A limit: its place in `resources`, the file of version 1 and the one of version 2.
const LIMITS: [(&str, &str, &str, &str); 3] = [
    ("/memory/limit", "memory", "memory.limit_in_bytes", "memory.max"),
    ("/pids/limit", "pids", "pids.max", "pids.max"),
    ("/cpu/shares", "cpu", "cpu.shares", "cpu.weight"),
];

/// The container's group in all hierarchies.
#[derive(Debug)]
pub struct Groups<'h> {
    resources: Value,
    members: Vec<(&'h Hierarchy, PathBuf)>,
}

impl<'h> Groups<'h> {
    /// The group that the configuration names.
    pub fn new(config: &Config, hierarchies: &'h [Hierarchy]) -> Self {
        let path = config.0["linux"]["cgroupsPath"].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
        let members = hierarchies.iter().map(|one| (one, one.mount.join(&path))).collect();
        Self { resources: config.0["linux"]["resources"].clone(), members }
    }

    /// Each hierarchy with the directory of the group.
    pub fn members(&self) -> impl Iterator<Item = &(&'h Hierarchy, PathBuf)> {
        self.members.iter()
    }

    /// Makes the directories, with their limits. Those above are there already.
    pub fn make(&self, plan: &mut Plan) -> io::Result<()> {
        for (hierarchy, dir) in &self.members {
            let path = plan.text(dir.as_os_str().as_encoded_bytes());
            plan.call(libc::SYS_mkdirat, [HERE, path, 0o755]).passed_over = libc::EEXIST as u64;
            let has = |controller: &str| hierarchy.controllers.iter().any(|name| name == controller);
            if has("cpuset") {
                // Version 1 takes no process into a group before that has processors and memory nodes.
                for name in ["cpuset.cpus", "cpuset.mems"] {
                    let above = read::kernel(dir.with_file_name(name))?;
                    plan.write(dir.join(name).as_os_str().as_encoded_bytes(), above.trim());
                }
            }
            for (place, controller, old, new) in LIMITS {
                let Some(value) = self.resources.pointer(place).and_then(Value::as_u64) else { continue };
                if has(controller) {
                    plan.write(dir.join(old).as_os_str().as_encoded_bytes(), &value.to_string());
                } else if hierarchy.v2 && dir.with_file_name(new).exists() {
                    let value = if controller == "cpu" { 1 + (value - 2) * 9999 / 262_142 } else { value };
                    plan.write(dir.join(new).as_os_str().as_encoded_bytes(), &value.to_string());
                }
            }
        }
        Ok(())
    }

    /// Opens the way into them: `tasks` of version 1 from descriptor 3 on, in their order; the directory of version 2, which
    /// is returned, last.
    pub fn open(&self, plan: &mut Plan) -> Option<u64> {
        for (_, dir) in self.members.iter().filter(|(hierarchy, _)| !hierarchy.v2) {
            plan.writable(dir.join("tasks").as_os_str().as_encoded_bytes());
        }
        let (_, dir) = self.members.iter().find(|(hierarchy, _)| hierarchy.v2)?;
        let path = plan.text(dir.as_os_str().as_encoded_bytes());
        let flags = (libc::O_DIRECTORY | libc::O_CLOEXEC) as u64;
        let fd = plan.open(libc::SYS_openat, [HERE, path, flags, 0]);
        if self.restricts_devices() && self.devices().is_none() {
            let (attach, attribute_size) = device_program(plan, fd);
            plan.call(libc::SYS_bpf, [8, attach, attribute_size]); // BPF_PROG_ATTACH
        }
        Some(fd)
    }

    /// Joins the groups of version 1. A single thread that writes `0` spares itself the grace period that a process id in
    /// `cgroup.procs` waits for.
    pub fn join(&self, plan: &mut Plan) {
        for (_, fd) in self.members.iter().filter(|(hierarchy, _)| !hierarchy.v2).zip(3..) {
            plan.put(fd, b"0");
        }
    }

    /// Refuses devices, as far as version 1 does it.
    pub fn close_devices(&self, plan: &mut Plan) {
        if let Some(dir) = self.devices().filter(|_| self.restricts_devices()) {
            plan.write(dir.join("devices.deny").as_os_str().as_encoded_bytes(), "a");
            let fd = plan.writable(dir.join("devices.allow").as_os_str().as_encoded_bytes());
            for line in DEVICES {
                plan.put(fd, line.as_bytes());
            }
            plan.close();
        }
    }

    fn devices(&self) -> Option<&PathBuf> {
        self.members
            .iter()
            .find(|(hierarchy, _)| hierarchy.controllers.iter().any(|name| name == "devices"))
            .map(|(_, dir)| dir)
    }

    fn restricts_devices(&self) -> bool {
        self.resources["devices"].as_array().is_some_and(|rules| !rules.is_empty())
    }

    /// Removes them, once the kernel is done with the last process.
    pub fn remove(&self, plan: &mut Plan) {
        for (_, dir) in &self.members {
            let path = plan.text(dir.as_os_str().as_encoded_bytes());
            plan.call(libc::SYS_unlinkat, [HERE, path, libc::AT_REMOVEDIR as u64]).again = libc::EBUSY as u64;
        }
    }
}
