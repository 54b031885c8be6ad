//! Configurations that are equivalent to another one.

use std::collections::BTreeSet;

use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::CONTAINER;
use serde_json::{Value, json};

/// Only in a namespace of its own: the name of the host is nobody's to change.
pub(super) fn name_by_id(config: &mut Config) {
    let id =
        config.texts("/process/env").into_iter().find_map(|entry| entry.strip_prefix(CONTAINER)?.strip_prefix('='));
    let is_new = config.namespace("uts").is_some_and(|uts| uts.get("path").is_none());
    let Some(id) = id.map(str::to_owned).filter(|_| is_new) else { return };
    if let Some(members) = config.0.as_object_mut() {
        members.entry("hostname").or_insert(id.into());
    }
}

/// Each where nothing is mounted at its place, above or below. A user namespace takes what those of the host are not.
pub(super) fn add_filesystems(config: &mut Config) {
    if config.namespace("mount").is_none() || config.namespace("user").is_some() {
        return;
    }
    let defaults = [
        ("/proc", "proc", json!([])),
        ("/sys", "sysfs", json!(["nosuid", "noexec", "nodev", "ro"])),
        ("/dev/pts", "devpts", json!(["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"])),
        ("/dev/shm", "tmpfs", json!(["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"])),
    ];
    for (place, kind, options) in defaults {
        let taken =
            |mount: &Value| mount["destination"].as_str().is_none_or(|at| at.contains(place) || !at.starts_with('/'));
        let whole = config.list("/mounts");
        if whole.is_empty() || whole.iter().any(taken) {
            continue;
        }
        let entry = json!({ "destination": place, "type": kind, "source": kind, "options": options });
        if let Some(mounts) = config.0.pointer_mut("/mounts").and_then(Value::as_array_mut) {
            mounts.push(entry);
        }
    }
}

/// The members of each object in reverse order, which is no order at all. Where two names differ in case alone they
/// stay: a runtime that takes them for one is wrong in either order, but not equally.
pub(super) fn reorder(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(reorder),
        Value::Object(members) => {
            members.values_mut().for_each(reorder);
            let names: BTreeSet<String> = members.keys().map(|name| name.to_lowercase()).collect();
            if names.len() == members.len() {
                *members = std::mem::take(members).into_iter().rev().collect();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds members that mean what their absence means.
pub(super) fn spell_out(config: &mut Value) {
    let defaults = [
        ("", "annotations", json!({})),
        ("", "hooks", json!({})),
        ("/root", "readonly", json!(false)),
        ("/process", "terminal", json!(false)),
        ("/process", "noNewPrivileges", json!(false)),
        ("/process", "rlimits", json!([])),
        ("/process/user", "additionalGids", json!([])),
        ("/linux", "devices", json!([])),
        ("/linux", "maskedPaths", json!([])),
        ("/linux", "readonlyPaths", json!([])),
        ("/linux", "sysctl", json!({})),
    ];
    for (parent, name, value) in defaults {
        if let Some(members) = config.pointer_mut(parent).and_then(Value::as_object_mut) {
            members.entry(name).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::fault::Neutral;

    fn posed(neutral: Neutral, config: &Config) -> Value {
        let mut config = config.clone();
        neutral.config(&mut config);
        config.0
    }

    #[test]
    fn what_is_neutral_says_the_same() {
        let config = Config(json!({ "a": 1, "root": { "path": "x" }, "process": { "terminal": true } }));
        let reordered = posed(Neutral::Reordered, &config);
        assert_eq!(reordered, config.0, "objects are equal whatever their order");
        assert_eq!(reordered.as_object().unwrap().keys().next().unwrap(), "process");
        let explicit = posed(Neutral::Explicit, &config);
        assert_eq!((&explicit["root"]["readonly"], &explicit["process"]["terminal"]), (&json!(false), &json!(true)));
    }

    #[test]
    fn a_name_is_given_only_where_there_is_none_and_it_is_the_containers() {
        let config = |uts: Value| {
            Config(json!({
                "process": { "env": ["A=b", "PLIMSOLL_CONTAINER=c1"] }, "linux": { "namespaces": [uts] }
            }))
        };
        let named = |uts: Value| posed(Neutral::Named, &config(uts)).get("hostname").cloned();
        assert_eq!(named(json!({ "type": "uts" })), Some("c1".into()));
        assert_eq!(named(json!({ "type": "uts", "path": "/x" })), None);
        assert_eq!(named(json!({ "type": "pid" })), None);
    }

    #[test]
    fn default_filesystems_are_added_where_nothing_is() {
        let config = Config(json!({
            "mounts": [{ "destination": "/proc" }, { "destination": "/dev/shm/x" }],
            "linux": { "namespaces": [{ "type": "mount" }] }
        }));
        let mounts = posed(Neutral::Filesystems, &config)["mounts"].clone();
        let places: Vec<&str> = mounts.as_array().unwrap().iter().filter_map(|m| m["destination"].as_str()).collect();
        assert_eq!(places, ["/proc", "/dev/shm/x", "/sys", "/dev/pts"]);
    }
}
