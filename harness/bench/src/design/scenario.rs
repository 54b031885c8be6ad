//! The configurations to measure with: edits to the base configuration, or a bundle of the user.

use std::path::PathBuf;

use plimsoll_fixtures::Recipe;
use serde_json::{Value, json};

/// A configuration to measure.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// The edits to the base.
    pub recipe: Recipe,
    /// The bundle whose configuration and root filesystem take the place of the base.
    pub bundle: Option<PathBuf>,
}

/// A name and the edits that it stands for.
type Named = (&'static str, fn(&mut Recipe));

/// The built-in scenarios.
const BUILT_IN: [Named; 14] = [
    ("default", default),
    ("minimal", minimal),
    ("docker", docker),
    ("user-namespace", user_namespace),
    ("only-pid", |recipe| only(recipe, "pid")),
    ("only-mount", |recipe| only(recipe, "mount")),
    ("only-network", |recipe| only(recipe, "network")),
    ("only-ipc", |recipe| only(recipe, "ipc")),
    ("only-uts", |recipe| only(recipe, "uts")),
    ("only-user", only_user),
    ("only-time", |recipe| only(recipe, "time")),
    ("only-cgroup", |recipe| only(recipe, "cgroup")),
    ("many-mounts", many_mounts),
    ("many-devices", many_devices),
];

impl Scenario {
    /// The built-in scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (name, edits) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        let mut recipe = Recipe::default();
        edits(&mut recipe);
        Some(Self { name: (*name).to_owned(), recipe, bundle: None })
    }

    /// Names of all built-in scenarios.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A bundle of the user's. It is not written to, and its program is replaced by the one that stamps the clock.
    #[must_use]
    pub fn of_bundle(dir: PathBuf) -> Self {
        let name = dir.file_name().map_or_else(|| "bundle".to_owned(), |name| name.to_string_lossy().into_owned());
        Self { name, recipe: Recipe::default(), bundle: Some(dir) }
    }
}

const NAMESPACES: [&str; 6] = ["pid", "network", "ipc", "uts", "mount", "cgroup"];

const MASKED: [&str; 8] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/sys/firmware",
];

const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

fn namespaces(kinds: &[&str]) -> Vec<Value> {
    kinds.iter().map(|kind| json!({ "type": kind })).collect()
}

/// What `runc spec` writes: six namespaces, masked and read-only paths, a cgroup mount, devices refused.
fn default(recipe: &mut Recipe) {
    recipe
        .set("/linux/namespaces", namespaces(&NAMESPACES))
        .set("/linux/maskedPaths", MASKED)
        .set("/linux/readonlyPaths", READ_ONLY)
        .set("/linux/resources/devices", json!([{ "allow": false, "access": "rwm" }]))
        .set("/process/rlimits", json!([{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }]))
        .set("/root/readonly", true)
        .set("/hostname", "bench")
        .mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev", "relatime", "ro"]);
}

/// The least that is still a container: mount and pid namespace, /proc, a cgroup.
fn minimal(recipe: &mut Recipe) {
    recipe
        .set("/linux/namespaces", namespaces(&["pid", "mount"]))
        .set("/mounts", json!([{ "destination": "/proc", "type": "proc", "source": "proc" }]))
        .remove("/process/capabilities")
        .set("/process/noNewPrivileges", false);
}

/// As Docker configures a container: the default with a seccomp profile of some 400 system calls and limits.
fn docker(recipe: &mut Recipe) {
    default(recipe);
    recipe
        .set("/linux/seccomp", seccomp())
        .set("/linux/resources/memory", json!({ "limit": 512 << 20 }))
        .set("/linux/resources/pids", json!({ "limit": 1024 }))
        .set("/linux/resources/cpu", json!({ "shares": 512 }))
        .push("/linux/maskedPaths", "/proc/scsi")
        .push("/linux/maskedPaths", "/proc/interrupts");
}

/// Allows the system calls of the host's architecture and its 32-bit sister, but for those that administer a host.
fn seccomp() -> Value {
    const REFUSED: [&str; 34] = [
        "acct",
        "add_key",
        "bpf",
        "clock_adjtime",
        "clock_settime",
        "create_module",
        "delete_module",
        "finit_module",
        "fsconfig",
        "fsmount",
        "fsopen",
        "fspick",
        "get_kernel_syms",
        "init_module",
        "ioperm",
        "iopl",
        "kexec_file_load",
        "kexec_load",
        "keyctl",
        "lookup_dcookie",
        "mount",
        "move_mount",
        "nfsservctl",
        "open_by_handle_at",
        "open_tree",
        "perf_event_open",
        "pivot_root",
        "query_module",
        "quotactl",
        "reboot",
        "request_key",
        "setns",
        "swapon",
        "unshare",
    ];
    let host: Vec<&str> = syscalls::Sysno::iter().map(|call| call.name()).collect();
    let sister: Vec<&str> = syscalls::x86::Sysno::iter().map(|call| call.name()).collect();
    let mut names: Vec<&str> = host.into_iter().chain(sister).filter(|name| !REFUSED.contains(name)).collect();
    names.sort_unstable();
    names.dedup();
    json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "names": names, "action": "SCMP_ACT_ALLOW" }] })
}

/// The default in a user namespace, the root filesystem given to its root.
fn user_namespace(recipe: &mut Recipe) {
    default(recipe);
    own_user(recipe);
}

fn own_user(recipe: &mut Recipe) {
    let map = json!([{ "containerID": 0, "hostID": 100_000, "size": 65_536 }]);
    recipe.new_namespace("user").set("/linux/uidMappings", &map).set("/linux/gidMappings", &map).also(|recipe| {
        let own = |path: &str| plimsoll_fixtures::Edit::Owner(path.to_owned(), 100_000, 100_000);
        ["rootfs", "rootfs/dev", "rootfs/proc", "rootfs/sys"].iter().fold(recipe, |recipe, path| recipe.edit(own(path)))
    });
}

/// One namespace, and the mount namespace, without which there is no container; /proc, without which there is no exec.
fn only(recipe: &mut Recipe, kind: &str) {
    minimal(recipe);
    let kinds = if kind == "mount" { vec!["mount"] } else { vec!["mount", kind] };
    recipe.set("/linux/namespaces", namespaces(&kinds));
}

/// With a pid namespace, without which a user namespace may not mount /proc.
fn only_user(recipe: &mut Recipe) {
    only(recipe, "pid");
    own_user(recipe);
}

fn many_mounts(recipe: &mut Recipe) {
    default(recipe);
    for number in 0..100 {
        recipe.directory(&format!("/mnt/{number}"));
        recipe.mount(&format!("/mnt/{number}"), "tmpfs", "tmpfs", &["nosuid", "nodev", "size=64k"]);
    }
}

fn many_devices(recipe: &mut Recipe) {
    default(recipe);
    for number in 0..100 {
        let node = json!({ "path": format!("/dev/many{number}"), "type": "c", "major": 1, "minor": 3 });
        recipe.push("/linux/devices", node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_a_configuration() {
        for name in Scenario::names() {
            let config = Scenario::named(name).unwrap().recipe.config();
            assert!(config.namespace("mount").is_some(), "{name}");
            serde_json::from_value::<Value>(config.0).unwrap();
        }
        assert!(Scenario::named("none such").is_none());
    }

    #[test]
    fn the_profile_of_docker_has_some_four_hundred_system_calls() {
        let config = Scenario::named("docker").unwrap().recipe.config();
        let names = config.texts("/linux/seccomp/syscalls/0/names");
        assert!((380..=450).contains(&names.len()), "{}", names.len());
        assert!(names.contains(&"execve") && !names.contains(&"bpf"));
    }
}
