//! What makes no runtime wrong: a runtime that is merely another one. No verdict may change behind it.

use std::collections::BTreeSet;
use std::fmt;

use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::{Answer, Ask, CONTAINER, Refused};
use serde_json::{Value, json};

/// What makes no runtime wrong, and must change no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Neutral {
    /// A program in front of it forwards each call.
    Forwards,
    /// It reads the members of each object in reverse order.
    Reordered,
    /// It reads the defaults of absent members spelled out.
    Explicit,
    /// It warns of something on standard error.
    Noisy,
    /// Each call takes a moment longer.
    Slow,
    /// What is denied in its containers fails with another error number.
    OtherErrors,
    /// A container without a host name of its own is named by its id.
    Named,
    /// The default filesystems are there, whether or not they were asked for.
    Filesystems,
    /// It refuses with an error what a runtime need not support.
    Choosy,
}

impl Neutral {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Forwards,
        Self::Reordered,
        Self::Explicit,
        Self::Noisy,
        Self::Slow,
        Self::OtherErrors,
        Self::Named,
        Self::Filesystems,
        Self::Choosy,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forwards => "forwards",
            Self::Reordered => "members-reordered",
            Self::Explicit => "defaults-explicit",
            Self::Noisy => "noisy",
            Self::Slow => "slow",
            Self::OtherErrors => "other-error-numbers",
            Self::Named => "named-by-id",
            Self::Filesystems => "default-filesystems",
            Self::Choosy => "choosy",
        }
    }

    /// Changes the configuration into the one that the runtime gets to read.
    pub(super) fn config(self, config: &mut Config) {
        match self {
            Self::Reordered => reorder(&mut config.0),
            Self::Explicit => spell_out(&mut config.0),
            Self::Named => name_by_id(config),
            Self::Filesystems => add_filesystems(config),
            Self::Forwards | Self::Noisy | Self::Slow | Self::OtherErrors | Self::Choosy => {}
        }
    }

    /// What the harness hears of its features: what it refuses it does not list.
    pub(super) fn features(self, stdout: String) -> String {
        let Ok(mut document) = serde_json::from_str::<Value>(&stdout) else { return stdout };
        if self != Self::Choosy {
            return stdout;
        }
        let without = [
            ("/linux/seccomp/actions", json!(["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"])),
            ("/linux/seccomp/supportedFlags", json!([])),
            ("/linux/mountExtensions/idmap/enabled", json!(false)),
            ("/linux/memoryPolicy", json!({ "modes": [], "flags": [] })),
        ];
        for (pointer, value) in without {
            if let Some(member) = document.pointer_mut(pointer) {
                *member = value;
            }
        }
        if let Some(options) = document.pointer_mut("/mountOptions").and_then(Value::as_array_mut) {
            options.retain(|option| option != "idmap" && option != "ridmap");
        }
        document.to_string()
    }

    /// What the harness hears of an answer from inside.
    pub(crate) fn answer(self, ask: &Ask, answer: Answer) -> Answer {
        // What a call comes to under a filter is configured, the error number included.
        if self != Self::OtherErrors || matches!(ask, Ask::Syscall { .. }) {
            return answer;
        }
        answer.map_err(|refused| Refused { errno: another(refused.errno), ..refused })
    }
}

impl fmt::Display for Neutral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forwards => "is called through a program that forwards",
            Self::Reordered => "reads the members of each object in reverse order",
            Self::Explicit => "reads the defaults of absent members spelled out",
            Self::Noisy => "warns on standard error at each call",
            Self::Slow => "takes a moment longer for each call",
            Self::OtherErrors => "denies with another error number",
            Self::Named => "names a container by its id where no host name is configured",
            Self::Filesystems => "mounts the default filesystems without being asked",
            Self::Choosy => "refuses what it need not support",
        })
    }
}

/// An error number that says as much.
fn another(errno: i32) -> i32 {
    match errno {
        libc::EPERM => libc::EACCES,
        libc::EACCES | libc::EROFS | libc::ELOOP => libc::EPERM,
        libc::ENOSPC => libc::EIO,
        other => other,
    }
}

/// Only in a namespace of its own: the name of the host is nobody's to change.
fn name_by_id(config: &mut Config) {
    let id =
        config.texts("/process/env").into_iter().find_map(|entry| entry.strip_prefix(CONTAINER)?.strip_prefix('='));
    let is_new = config.namespace("uts").is_some_and(|uts| uts.get("path").is_none());
    let Some(id) = id.map(str::to_owned).filter(|_| is_new) else { return };
    if let Some(members) = config.0.as_object_mut() {
        members.entry("hostname").or_insert(id.into());
    }
}

/// Each where nothing is mounted at its place, above or below. A user namespace takes what those of the host are not.
fn add_filesystems(config: &mut Config) {
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
fn reorder(value: &mut Value) {
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
fn spell_out(config: &mut Value) {
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

    #[test]
    fn only_what_is_denied_gets_another_number() {
        let ask = Ask::Read("/x".into());
        let heard = |errno| Neutral::OtherErrors.answer(&ask, Err(Refused { errno, call: "open".into() })).unwrap_err();
        assert!(heard(libc::EROFS).is_denial() && heard(libc::EROFS).errno != libc::EROFS);
        assert_eq!(heard(libc::ENOENT).errno, libc::ENOENT);
    }
}
