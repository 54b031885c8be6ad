//! Random edits that give a runtime and a container no access to the host.

use std::path::Path;

use plimsoll_engine::namespace_holder::FIRST_ID;
use plimsoll_fixtures::{Config, Edit, probe};
use plimsoll_foreign::beneath;
use serde_json::Value;

/// The most bytes of a value or file.
const LONGEST: usize = 64 * 1024;

/// Whether an edit is one of them.
pub(super) fn is(edit: &Edit) -> bool {
    match edit {
        // Without a file that can be executed, the only programs in the container are ours.
        Edit::File(path, content, mode) => stays(path) && content.len() <= LONGEST && mode & 0o7111 == 0,
        Edit::Directory(path, mode) => stays(path) && mode & 0o6000 == 0,
        Edit::Tmpfs(path, options) => stays(path) && options.iter().all(|option| is_mount_word(option)),
        Edit::Set(pointer, value) => value.to_string().len() <= LONGEST && may_set(pointer, value),
        Edit::Push(pointer, value) => value.to_string().len() <= LONGEST && may_push(pointer, value),
        Edit::Remove(_)
        | Edit::Raw(_)
        | Edit::Symlink(..)
        | Edit::Owner(..)
        | Edit::Probe(_)
        | Edit::Device(..)
        | Edit::SetUserId(_)
        | Edit::Foreign(_) => false,
    }
}

fn stays(path: &str) -> bool {
    beneath::parts(Path::new(path)).is_ok() && path != "config.json"
}

fn may_set(pointer: &str, value: &Value) -> bool {
    match pointer {
        "/hostname" | "/domainname" | "/process/cwd" => value.is_string(),
        "/annotations" => members(value).all(|(name, value)| is_plain_annotation(name) && value.is_string()),
        "/process/args" => are_plain_arguments(value),
        "/process/env" => texts(value).is_some_and(|all| all.iter().all(|one| !one.starts_with("PLIMSOLL_"))),
        "/process/user/uid" | "/process/user/gid" | "/process/user/umask" | "/process/oomScoreAdj" => value.is_number(),
        "/process/user/additionalGids" => items(value).all(Value::is_number) && value.is_array(),
        "/process/rlimits" => value.is_array(),
        "/process/noNewPrivileges" => value.is_boolean(),
        "/process/capabilities" => members(value).all(|(_, names)| are_of_base(names)) && value.is_object(),
        "/linux/sysctl" => members(value).all(|(name, _)| SYSCTLS.contains(&name)) && value.is_object(),
        "/linux/rootfsPropagation" => ["private", "slave", "shared", "unbindable"].iter().any(|word| value == word),
        "/linux/seccomp" => value.is_object() && members(value).all(|(name, _)| !name.starts_with("listener")),
        "/linux/uidMappings" | "/linux/gidMappings" => {
            items(value).all(|map| map["hostID"].as_u64().is_some_and(|id| id >= FIRST_ID.into()))
        }
        _ => false,
    }
}

fn may_push(pointer: &str, value: &Value) -> bool {
    match pointer {
        "/linux/maskedPaths" | "/linux/readonlyPaths" => value.is_string(),
        "/linux/namespaces" => {
            ["network", "cgroup", "user"].iter().any(|kind| value["type"] == *kind) && value.get("path").is_none()
        }
        // Numbers that are left to experiments, or no device at all.
        "/linux/devices" => value["type"] == "p" || value["major"].as_u64().is_some_and(|n| (240..255).contains(&n)),
        "/mounts" => is_own_mount(value),
        _ => false,
    }
}

/// Parameters of the IPC namespace.
const SYSCTLS: [&str; 4] = ["kernel.msgmax", "kernel.msgmnb", "kernel.shmmni", "fs.mqueue.msg_max"];

/// `domain.tld/name`; those that runtimes act on have no slash.
fn is_plain_annotation(name: &str) -> bool {
    let Some((domain, rest)) = name.split_once('/') else { return false };
    domain.matches('.').count() == 1 && domain.len() <= 16 && !rest.contains('/')
}

/// Arguments by which the probe answers questions, and neither writes a file nor starts a program.
fn are_plain_arguments(value: &Value) -> bool {
    let Some(args) = texts(value) else { return false };
    let acts = |word: &&str| {
        word.contains("log=") || ["flaw=", "late="].iter().any(|verb| word.starts_with(verb)) || VERBS.contains(word)
    };
    args.first() == Some(&probe::PATH) && !args.iter().any(acts)
}

/// The first words by which the probe does something else.
const VERBS: [&str; 6] = ["forward", "activated", "as", "enter", "hang", "hook"];

/// Capabilities that every container of the suite has.
fn are_of_base(names: &Value) -> bool {
    let base = Config::base();
    let granted = base.texts("/process/capabilities/bounding");
    texts(names).is_some_and(|names| names.iter().all(|name| granted.contains(name)))
}

/// A tmpfs, or what lies beside the root filesystem of the bundle itself.
fn is_own_mount(value: &Value) -> bool {
    let text = |member: &str| value[member].as_str().unwrap_or_default();
    let place = text("destination");
    let has_place = place.starts_with("/m") && !place.split('/').any(|part| part == "..");
    let from_bundle = text("source").strip_prefix("{bundle}/").is_some_and(|path| {
        beneath::parts(Path::new(path)).is_ok_and(|parts| parts[0] != "rootfs") && !path.contains(['{', '}'])
    });
    let has_source = match text("type") {
        "tmpfs" => text("source") == "tmpfs",
        "bind" => from_bundle,
        _ => false,
    };
    let bind = |word: &str| matches!(word, "bind" | "rbind");
    let options = texts(&value["options"]).unwrap_or_default();
    let may = |word: &&str| is_mount_word(word) || (text("type") == "bind" && bind(word));
    has_place && has_source && options.iter().all(may) && members(value).all(|(name, _)| MOUNT.contains(&name))
}

const MOUNT: [&str; 4] = ["destination", "type", "source", "options"];

fn is_mount_word(word: &str) -> bool {
    const WORDS: &str = "ro rw nosuid suid nodev dev noexec exec noatime relatime strictatime nodiratime nosymfollow \
                         sync async dirsync lazytime nolazytime defaults loud shared unbindable";
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let size = word.strip_prefix("size=").and_then(|size| size.strip_suffix('k')).is_some_and(number);
    size || word.strip_prefix("mode=").is_some_and(number) || WORDS.split_whitespace().any(|known| known == word)
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}
