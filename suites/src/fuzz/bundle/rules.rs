//! The rules that judge random bundles.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plimsoll_engine::batch::overlap;
use plimsoll_engine::check::{Body, Check, Rule};
use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::{Config, Edit};
use serde_json::Value;

use super::fragment::Fragment;

/// Rules that take the stage for granted that their own cases set: files with certain content, an untouched base. They
/// judge where one of these cases is in the bundle; every other rule judges wherever it finds something to judge.
const STAGED: &[&str] = &[
    "config.names-are-case-sensitive",
    "config.no-mounts",
    "config.optional-members",
    "config.root.readonly",
    "config.root.readonly-is-not-for-mounts",
    "config.unknown-properties",
    "linux.default-devices.*",
    "linux.default-filesystems.*",
    "linux.dev-symlinks",
    "linux.optional-members",
    "linux.rootfs-propagation.slave",
    "mounts.below-read-only-root",
    "mounts.bind.source",
    "mounts.bind.submounts",
    "mounts.data-inside",
    "mounts.effect.*",
    "mounts.id-mappings",
    "mounts.idmap",
    "mounts.ridmap",
    "mounts.nothing-else",
    "mounts.optional-members",
    "mounts.order",
    "namespaces.cgroup.own-group-is-the-root",
    "namespaces.network.only-loopback",
    "namespaces.owned-by-the-user-namespace",
    "namespaces.pid.init",
    "namespaces.user.files",
    "namespaces.user.process",
    "namespaces.uts.own-name",
    "process.args.path-search",
    "process.console-size.*",
    "process.capabilities.effect",
    "process.capabilities.each",
    "process.cwd.missing",
    "process.env.home",
    "process.exec-cpu-affinity.not-for-init",
    "process.optional",
    "process.stdio.*",
    "process.terminal.*",
    "process.user.umask",
    "resources.cpu.confined",
    "resources.devices.*",
    "resources.optional-members",
];

/// Rules whose questions only somebody gets an answer to who may read and write every file: root with all capabilities of
/// the base, in no user namespace.
const AS_ROOT: &[&str] =
    &["config.root.*", "linux.readonly-paths", "mounts.below-read-only-root", "mounts.effect.*", "resources.devices.*"];

/// Rules that compare more than what they are about with what their cases set, and the members that must be left alone
/// for that.
const ALONE: &[(&str, &[&str])] = &[
    ("config.names-are-case-sensitive", &["/process/cwd"]),
    ("config.no-mounts", &["/process/cwd"]),
    ("config.unknown-properties", &["/process/cwd"]),
    ("config.optional-members", &["/process/cwd"]),
    ("config.root.readonly-is-not-for-mounts", &["/mounts"]),
    ("linux.default-devices.*", &["/linux/devices"]),
    // Whose a device is in a user namespace is for a rule of its own, which only warns.
    ("linux.devices", &["/linux/uidMappings"]),
    ("linux.default-devices.usable", &["/process/terminal"]),
    ("linux.optional-members", &["/process/cwd"]),
    ("mounts.bind.submounts", &["/mounts"]),
    // The directories of this kernel's settings are no place to make others in.
    ("linux.readonly-paths", &["/linux/sysctl"]),
    ("mounts.data", &["/linux/uidMappings"]),
    ("mounts.data-inside", &["/linux/uidMappings"]),
    ("mounts.nothing-else", &["/mounts", "/linux/maskedPaths", "/linux/readonlyPaths"]),
    ("mounts.optional-members", &["/mounts"]),
    ("process.exec-cpu-affinity.not-for-init", &["/linux/resources"]),
    ("mounts.propagation.*", &["/linux/rootfsPropagation"]),
    (
        "namespaces.uts.own-name",
        &[
            "/linux/namespaces",
            "/linux/uidMappings",
            "/linux/maskedPaths",
            "/linux/readonlyPaths",
            "/process/user",
            "/process/capabilities",
        ],
    ),
    ("linux.default-devices.ptmx", &["/mounts/2"]),
    (
        "process.capabilities.effect",
        &["/linux/uidMappings", "/linux/namespaces", "/process/scheduler", "/process/ioPriority", "/root"],
    ),
    ("namespaces.pid.init", &["/linux/namespaces"]),
    ("process.cwd.missing", &["/linux/uidMappings", "/root"]),
    ("process.env.home", &["/process/user"]),
    ("process.optional", &["/process/args"]),
    ("resources.cpu.confined", &["/linux/resources"]),
    // Such a group has shares of its own.
    ("resources.cpu.shares", &["/linux/resources/cpu/idle"]),
    ("resources.devices.*", &["/root", "/linux/namespaces"]),
    ("resources.optional-members", &["/linux/resources"]),
];

/// The rule of each check that is a case, each rule once, with the number of the check.
#[must_use]
pub fn of(checks: &[Check]) -> Vec<(&'static Rule, usize)> {
    let mut seen = BTreeSet::new();
    let rule = |check: &Check| if let Body::Case(case) = check.body { Some(case.rule) } else { None };
    let all = checks.iter().enumerate().filter_map(|(number, check)| Some((rule(check)?, number)));
    all.filter(|(rule, _)| seen.insert(rule.id)).collect()
}

/// What the cases of each rule are about: the members that their faulty runtimes get wrong, without numbers in lists.
#[must_use]
pub fn members(checks: &[Check]) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut members: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for check in checks {
        let Body::Case(case) = check.body else { continue };
        let own = case.proves.iter().flat_map(|fault| fault.members()).map(without_numbers);
        members.entry(case.rule.id).or_default().extend(own);
    }
    members
}

/// `/mounts` of `/mounts/6/options/0`.
fn without_numbers(pointer: &str) -> String {
    let names = pointer.split('/').take_while(|name| *name != "-" && name.parse::<usize>().is_err());
    names.collect::<Vec<_>>().join("/")
}

/// Members that no other fragment may set if a rule of this id judges its own case.
#[must_use]
pub fn alone(id: &str) -> Vec<&'static str> {
    let as_root: &[&str] =
        if is_in(AS_ROOT, id) { &["/process/user", "/process/capabilities", "/linux/uidMappings"] } else { &[] };
    let listed = ALONE.iter().filter(|(known, _)| is_in(&[known], id)).flat_map(|(_, members)| *members);
    as_root.iter().chain(listed).copied().collect()
}

/// How likely the cases of a rule are to be drawn, against others: what is often in the way of others, or others in its
/// way, is drawn more often, so that each rule judges one bundle in a hundred at least.
#[must_use]
pub fn weight(id: &str) -> u32 {
    const OFTEN: &[&str] = &[
        "config.no-mounts",
        "mounts.below-read-only-root",
        "mounts.effect.*",
        "mounts.bind.*",
        "linux.inheritable-capabilities",
        "linux.rootfs-propagation.*",
        "linux.personality",
        "mounts.data-inside",
        "mounts.nothing-else",
        "mounts.option.symfollow",
        "mounts.optional-members",
        "namespaces.owned-by-the-user-namespace",
        "namespaces.pid.init",
        "namespaces.user.*",
        "process.capabilities.effect",
        "process.stdio.reopened",
        "process.terminal.*",
    ];
    if id == "config.root.readonly-is-not-for-mounts" {
        // No other mount may be in the bundle.
        24
    } else if is_in(OFTEN, id) {
        12
    } else if alone(id).is_empty() && !is_in(STAGED, id) {
        2
    } else {
        6
    }
}

/// Whether one of these edits sets one of these members.
#[must_use]
pub fn touches(edits: &[Edit], members: &[&str]) -> bool {
    edits.iter().filter_map(pointer).any(|at| members.iter().any(|member| overlap(&at, member)))
}

/// Whether a rule may judge a bundle of these fragments: a case of its own is among them, or the configuration has what
/// the rule is about.
#[must_use]
pub fn may_judge(rule: &Rule, members: &BTreeSet<String>, fragments: &[Fragment], config: &Config) -> bool {
    let own = fragments.iter().any(|fragment| fragment.rule() == rule.id);
    let about =
        members.is_empty() || members.iter().any(|member| config.get(member).is_some_and(|value| !is_empty(value)));
    let alone = alone(rule.id);
    let mut others = fragments.iter().filter(|fragment| fragment.rule() != rule.id);
    (own || (!is_in(STAGED, rule.id) && about))
        && !others.any(|fragment| touches(&fragment.edits, &alone))
        && !(rule.asks)(config).iter().flat_map(files).any(|path| is_hidden(&path, members, config))
}

/// The files that a question is about.
fn files(ask: &Ask) -> Vec<String> {
    match ask {
        Ask::Fds | Ask::Namespaces | Ask::Mountinfo => vec!["/proc/self".to_owned()],
        named => strings(&serde_json::to_value(named).unwrap_or_default()),
    }
}

/// The absolute paths in a document.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.starts_with('/') => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(named) => named.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// Whether the configuration keeps a file from being read, by what the rule is not about.
fn is_hidden(path: &str, members: &BTreeSet<String>, config: &Config) -> bool {
    let is_below = |top: Option<&str>| top.is_some_and(|top| Path::new(path).starts_with(top));
    let masked = config.list("/linux/maskedPaths").iter().any(|top| is_below(top.as_str()));
    let has_proc = config.list("/mounts").iter().any(|mount| mount["destination"] == "/proc");
    (masked && !members.contains("/linux/maskedPaths"))
        || (is_below(Some("/proc")) && !has_proc && !members.contains("/mounts"))
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn pointer(edit: &Edit) -> Option<String> {
    match edit {
        Edit::Set(at, _) | Edit::Remove(at) => Some(at.clone()),
        Edit::Push(at, _) => Some(format!("{at}/-")),
        _ => None,
    }
}

pub(crate) fn is_in(list: &[&str], id: &str) -> bool {
    list.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => id.starts_with(start),
        None => id == *known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_listed_rule_is_one() {
        let checks = crate::all();
        let rules = of(&checks);
        for name in STAGED.iter().chain(AS_ROOT).chain(ALONE.iter().map(|(id, _)| id)) {
            let start = name.trim_end_matches('*');
            assert!(rules.iter().any(|(rule, _)| rule.id.starts_with(start)), "{name}");
        }
    }

    #[test]
    fn a_rule_is_judged_where_the_configuration_has_what_it_is_about() {
        let checks = crate::all();
        let members = members(&checks);
        let judges = |id: &str, config: serde_json::Value| {
            let rule = of(&checks).into_iter().find(|(rule, _)| rule.id == id).unwrap().0;
            may_judge(rule, &members[id], &[], &Config(config))
        };
        assert!(judges("config.hostname", serde_json::json!({ "hostname": "a" })));
        assert!(!judges("config.hostname", serde_json::json!({})));
        assert!(judges("mounts.option.ro", serde_json::json!({ "mounts": [{}] })));
        assert!(judges(
            "linux.sysctl",
            serde_json::json!({ "linux": { "sysctl": { "a.b": "1" } }, "mounts": [{ "destination": "/proc" }] })
        ));
        let masked = serde_json::json!({ "linux": { "sysctl": { "a.b": "1" }, "maskedPaths": ["/proc/sys"] }, "mounts": [{ "destination": "/proc" }] });
        assert!(!judges("linux.sysctl", masked), "it is masked");
        assert!(
            !judges("linux.sysctl", serde_json::json!({ "linux": { "sysctl": { "a.b": "1" } } })),
            "nobody mounts /proc"
        );
        assert!(!judges("process.env.home", serde_json::json!({ "process": { "env": [] } })), "it is staged");
    }
}
