//! The plan of the floor for a bundle, computed before the clock starts: the namespaces, cgroup, limits, mounts, devices, masks and
//! privileges that a runtime would set up, as a list of system calls. What a runtime has to find out (which paths exist, which hierarchies
//! there are) is in the plan.

mod filter;
mod group;
mod program;
mod root;
mod writer;

use std::io;
use std::path::Path;

use plimsoll_engine::cgroup::Hierarchy;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::floor::plan::{CLONE, MAP_IDS, WAIT};
use serde_json::Value;

use group::Groups;
pub use writer::Finished;
use writer::Plan;

/// The namespaces by their names, without that of control groups: the container makes that itself, in its group.
const NAMESPACES: [(&str, i32); 7] = [
    ("pid", libc::CLONE_NEWPID),
    ("network", libc::CLONE_NEWNET),
    ("ipc", libc::CLONE_NEWIPC),
    ("uts", libc::CLONE_NEWUTS),
    ("mount", libc::CLONE_NEWNS),
    ("user", libc::CLONE_NEWUSER),
    ("time", libc::CLONE_NEWTIME),
];

/// `CLONE_INTO_CGROUP` of clone3(2), which the crate libc has in a type that is too narrow.
const INTO_CGROUP: u64 = 1 << 33;

/// The name of the plan in a bundle.
pub const PLAN: &str = "floor.plan";

/// The plan for a bundle.
///
/// # Errors
/// When the host cannot be looked at, or the configuration asks for what the floor does not do.
pub fn plan(config: &Config, bundle: &Path, hierarchies: &[Hierarchy]) -> io::Result<Finished> {
    let mut plan = Plan::new();
    let groups = Groups::new(config, hierarchies);
    // What was inherited would take numbers that the plan counts on.
    plan.call(libc::SYS_close_range, [3, u32::MAX.into(), 0]);
    groups.make(&mut plan)?;
    let new_user = config.namespace("user").is_some();
    if new_user {
        // The child has no rights over it, and makes no device.
        groups.close_devices(&mut plan);
    }
    let group = groups.open(&mut plan);
    // The child waits at it until its ids are mapped.
    let gate = new_user.then(|| plan.open(libc::SYS_eventfd2, [0, libc::O_CLOEXEC as u64]));
    let clone = clone(&mut plan, config, group);
    enter(&mut plan, config, &groups, gate);
    root::make(&mut plan, config, bundle, &groups)?;
    program::become_it(&mut plan, config)?;
    let parent = plan.next();
    plan.resolve(clone, 2, parent);
    if let Some(gate) = gate {
        let maps = ["uid", "gid"].map(|kind| map(config, kind));
        let [users, groups] = maps.each_ref().map(|map| (plan.text(map), map.len() as u64));
        plan.step(MAP_IDS, [users.0, users.1, groups.0, groups.1]);
        plan.put(gate, &1_u64.to_ne_bytes());
    }
    plan.step(WAIT, []);
    groups.remove(&mut plan);
    plan.finish().ok_or_else(|| unable("so large a configuration"))
}

fn unable(what: &str) -> io::Error {
    io::Error::other(format!("the floor cannot do {what}"))
}

/// The index of the step that clones.
fn clone(plan: &mut Plan, config: &Config, group: Option<u64>) -> u64 {
    let made = NAMESPACES.iter().filter(|(name, _)| config.namespace(name).is_some());
    let flags: u64 = made.map(|(_, flag)| *flag as u64).sum();
    let into = if group.is_some() { INTO_CGROUP } else { 0 };
    // struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup
    let words = [flags | into, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0, 0, 0, group.unwrap_or(0)];
    let (at, words) = (plan.next(), plan.words(&words));
    plan.step(CLONE, [words, 88, 0]);
    at
}

/// The child, up to its file system.
fn enter(plan: &mut Plan, config: &Config, groups: &Groups<'_>, gate: Option<u64>) {
    groups.join(plan);
    if let Some(gate) = gate {
        let room = plan.words(&[0]);
        plan.call(libc::SYS_read, [gate, room, 8]);
        plan.call(libc::SYS_setresgid, [0, 0, 0]);
        plan.call(libc::SYS_setresuid, [0, 0, 0]);
    }
    if config.namespace("cgroup").is_some() {
        plan.call(libc::SYS_unshare, [libc::CLONE_NEWCGROUP as u64]);
    }
    plan.call(libc::SYS_setsid, []);
    if let Some(name) = config.0["hostname"].as_str() {
        let address = plan.text(name);
        plan.call(libc::SYS_sethostname, [address, name.len() as u64]);
    }
    if config.namespace("network").is_some() {
        loopback(plan);
    }
}

/// Brings the loopback device up.
fn loopback(plan: &mut Plan) {
    let kind = (libc::SOCK_DGRAM | libc::SOCK_CLOEXEC) as u64;
    let socket = plan.open(libc::SYS_socket, [libc::AF_INET as u64, kind, 0]);
    let mut request = [0; 40]; // struct ifreq: a name of 16 bytes, then the flags
    request[..2].copy_from_slice(b"lo");
    request[16..18].copy_from_slice(&(libc::IFF_UP as u16).to_ne_bytes());
    let request = plan.bytes(&request);
    plan.call(libc::SYS_ioctl, [socket, libc::SIOCSIFFLAGS, request]);
    plan.close();
}

/// The map of a kind of ids, as its file has it.
fn map(config: &Config, kind: &str) -> String {
    let entries = list(&config.0["linux"][format!("{kind}Mappings")]);
    let line = |entry: &Value| {
        let [inside, outside, size] = ["containerID", "hostID", "size"].map(|name| entry[name].as_u64().unwrap_or(0));
        format!("{inside} {outside} {size}\n")
    };
    entries.iter().map(line).collect()
}

/// The entries of a list, none when there is no list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The texts of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}
