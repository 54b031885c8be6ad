//! Mounts that were not requested: a container has the mounts of its configuration and those that the specification requires.

use std::path::Path;

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::observer::mountinfo::is_visible;
use plimsoll_fixtures::Config;

use super::entry::entries;

/// Nothing is mounted but the root, the entries of `mounts`, default filesystems and devices, and what hides or protects a
/// path.
const NOTHING_ELSE: Rule = Rule::by_host(
    "mounts.nothing-else",
    &["runtime.create.all-properties-applied", "config.mounts.parameters-per-mount2"],
    |config, evidence, out| {
        let trees: Vec<String> = trees(config).collect();
        let places: Vec<&str> = PATHS.iter().flat_map(|pointer| config.texts(pointer)).chain(DEFAULT).collect();
        let mounts = &evidence.host().mounts;
        for mount in mounts.iter().filter(|mount| is_visible(mounts, mount)) {
            let point = Path::new(&mount.point);
            let asked = places.contains(&mount.point.as_str()) || trees.iter().any(|tree| point.starts_with(tree));
            out.expect("mounts", asked, "only what the configuration lists", mount);
        }
    },
);

/// Where mounts may be that the configuration does not list.
const DEFAULT: [&str; 3] = ["/", "/proc", "/sys"];

const PATHS: [&str; 2] = ["/linux/maskedPaths", "/linux/readonlyPaths"];

/// Where mounts may lie below, too: a bind may bring more than one, and so does `cgroup`; devices may be mounts.
fn trees(config: &Config) -> impl Iterator<Item = String> {
    entries(config)
        .into_iter()
        .map(|entry| entry.destination)
        .filter(|at| !DEFAULT.contains(&at.as_str()))
        .chain(["/dev".into()])
}

const EXTRA: Fault = Fault::Push("/mounts", r#"{"destination":"/mnt","type":"tmpfs","source":"tmpfs"}"#);
const MASK: Fault = Fault::Push("/linux/maskedPaths", r#""/proc/uptime""#);
const PROTECT: Fault = Fault::Push("/linux/readonlyPaths", r#""/proc/irq""#);

pub(super) const CASES: &[Case] = &[
    Case::new(&NOTHING_ELSE, "usual", |r| r, &[EXTRA, MASK, PROTECT]),
    Case::new(
        &NOTHING_ELSE,
        "hidden-and-read-only-paths",
        |r| r.set("/linux/maskedPaths", ["/proc/keys"]).set("/linux/readonlyPaths", ["/proc/sysrq-trigger"]),
        &[EXTRA, MASK, PROTECT],
    ),
    Case::new(&NOTHING_ELSE, "in-a-user-namespace", |r| crate::namespaces::usual_user(r).directory("/mnt"), &[EXTRA]),
    Case::new(&NOTHING_ELSE, "under-a-read-only-root", |r| r.directory("/mnt").set("/root/readonly", true), &[EXTRA]),
];
