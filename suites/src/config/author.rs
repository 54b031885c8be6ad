//! Rules for the author of a configuration: each row has a configuration that breaks a rule, and one that keeps it. A broken rule is an
//! invalid value, or a required member that is missing, and a runtime must refuse it.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use serde_json::Value;

use crate::refusal;

/// The valid value must run, and the other must be refused; what is no JSON stands for the absence of the member.
macro_rules! rules {
    ($binding:literal; $($name:literal, $clause:literal, $pointer:literal: $valid:literal not $invalid:literal;)*) => {
        &[$(Scenario::new(concat!("config.author/", $name), &[$clause, $binding], &[Fault::Take($pointer, $valid)], |lab, out| {
            lab.control(|r| r.set($pointer, json($valid)))?;
            let bundle = match serde_json::from_str::<Value>($invalid) {
                Ok(value) => lab.bundle(|r| r.set($pointer, value))?,
                Err(_) => lab.bundle(|r| r.remove($pointer))?,
            };
            refusal::by_create_or_start(lab, out, &bundle)
        })),*]
    };
}

pub(super) const RULES: &[Scenario] = rules! { "config.values.invalid-error";
    "user-without-a-uid", "config.user.ids-required", "/process/user": r#"{"uid": 0, "gid": 0}"# not r#"{"gid": 0}"#;
    "user-without-a-gid", "config.user.ids-required", "/process/user": r#"{"uid": 0, "gid": 0}"# not r#"{"uid": 0}"#;
    "rlimit-in-lower-case", "schema.config.rlimit-type-pattern",
        "/process/rlimits": r#"[{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]"#
        not r#"[{"type": "RLIMIT_core", "soft": 0, "hard": 0}]"#;
    "annotations-are-a-text", "config.annotations.is-map",
        "/annotations": r#"{"com.example.a": "b"}"# not r#""com.example.a=b""#;
    "annotation-is-a-flag", "config.annotations.value-string",
        "/annotations": r#"{"com.example.a": "true"}"# not r#"{"com.example.a": true}"#;
    "root-is-not-there", "config.root.path-directory-exists", "/root/path": r#""rootfs""# not r#""nosuch""#;
    "root-is-a-file", "config.root.path-directory-exists", "/root/path": r#""rootfs""# not r#""config.json""#;
    "hook-without-a-path", "schema.defs.hook", "/hooks": r#"{"poststop": []}"# not r#"{"poststop": [{"args": ["x"]}]}"#;
    "hook-with-negative-time", "schema.defs.hook",
        "/hooks": r#"{"poststop": [{"path": "{probe}", "args": ["probe", "hook", "x", "/dev/null"], "timeout": 5}]}"#
        not r#"{"poststop": [{"path": "{probe}", "args": ["probe", "hook", "x", "/dev/null"], "timeout": -1}]}"#;
    "device-of-type-a", "schema.linux.device-type-pattern",
        "/linux/devices": r#"[{"path": "/dev/p", "type": "c", "major": 10, "minor": 229}]"#
        not r#"[{"path": "/dev/p", "type": "a", "major": 10, "minor": 229}]"#;
    "namespace-by-its-short-name", "schema.linux.namespace-type-enum",
        "/linux/namespaces": r#"[{"type": "mount"}, {"type": "pid"}, {"type": "network"}]"#
        not r#"[{"type": "mnt"}, {"type": "pid"}, {"type": "network"}]"#;
    "propagation-is-recursive-and-unknown", "schema.linux.rootfs-propagation-enum",
        "/linux/rootfsPropagation": r#""slave""# not r#""rsecret""#;
    "filter-without-a-default", "linux.seccomp.default-action-required",
        "/linux/seccomp": r#"{"defaultAction": "SCMP_ACT_ALLOW"}"# not "{}";
    "rule-without-names", "linux.seccomp.names-required",
        "/linux/seccomp": r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}"#
        not r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO"}]}"#;
    "rule-without-an-action", "linux.seccomp.action-required",
        "/linux/seccomp": r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}"#
        not r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["readahead"]}]}"#;
    "comparison-without-an-index", "linux.seccomp.args-members-required",
        "/linux/seccomp": r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}"#
        not r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["readahead"], "action": "SCMP_ACT_ERRNO",
                "args": [{"value": 1, "op": "SCMP_CMP_EQ"}]}]}"#;
    "rule-with-no-names", "schema.linux.seccomp-syscall",
        "/linux/seccomp": r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}"#
        not r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": "readahead", "action": "SCMP_ACT_ERRNO"}]}"#;
};

/// Members that came with a later release bind by what it says of them: to a runtime of an earlier one they are unknown.
pub(super) const SCHEDULERS: &[Scenario] = rules! { "config.process.scheduler-policy-applied";
    "scheduler-without-a-policy", "config.process.scheduler-policy-required",
        "/process/scheduler": r#"{"policy": "SCHED_OTHER", "nice": 1}"# not r#"{"nice": 1}"#;
};

pub(super) const IO_PRIORITIES: &[Scenario] = rules! { "config.process.io-priority-class-values";
    "io-priority-without-a-class", "config.process.io-priority-class-required",
        "/process/ioPriority": r#"{"class": "IOPRIO_CLASS_BE", "priority": 5}"# not r#"{"priority": 5}"#;
    "io-priority-without-a-level", "config.process.io-priority-level-required",
        "/process/ioPriority": r#"{"class": "IOPRIO_CLASS_BE", "priority": 5}"# not r#"{"class": "IOPRIO_CLASS_BE"}"#;
    "io-priority-class-is-unknown", "schema.config.io-priority-class-enum",
        "/process/ioPriority": r#"{"class": "IOPRIO_CLASS_BE", "priority": 5}"#
        not r#"{"class": "IOPRIO_CLASS_NONE", "priority": 5}"#;
};

/// Create does without a process, start does not.
pub(super) const PROCESS: &[Scenario] = rules! { "runtime.start.process-unset-error";
    "no-process", "config.process.required-for-start",
        "/process": r#"{"user": {"uid": 0, "gid": 0}, "args": ["/probe"], "cwd": "/"}"# not "";
};

/// What comes second is in the way of what came first.
pub(super) const DEVICES: &[Scenario] = rules! { "linux.devices.path-conflict-error";
    "device-twice", "config.values.invalid-error",
        "/linux/devices": r#"[{"path": "/dev/p", "type": "c", "major": 10, "minor": 229}]"#
        not r#"[{"path": "/dev/p", "type": "c", "major": 10, "minor": 229},
                {"path": "/dev/p", "type": "c", "major": 10, "minor": 200}]"#;
};

const UNREAD: &[Scenario] = rules! { "runtime.create.may-validate";
    "console-size-without-width", "config.process.console-size-members-required",
        "/process/consoleSize": r#"{"height": 25, "width": 80}"# not r#"{"height": 25}"#;
    "affinity-in-hexadecimal", "schema.config.exec-affinity-pattern",
        "/process/execCPUAffinity": r#"{"initial": "0"}"# not r#"{"initial": "0x1"}"#;
    "affinity-is-no-list", "config.process.exec-cpu-affinity-list-format",
        "/process/execCPUAffinity": r#"{"initial": "0"}"# not r#"{"initial": "0-"}"#;
    "annotation-without-a-key", "config.annotations.key-non-empty",
        "/annotations": r#"{"com.example.a": "b"}"# not r#"{"": "b"}"#;
};

/// Members that need not be looked at.
pub(super) const ADVISORY: &[Scenario] = &[
    UNREAD[0].advisory("consoleSize is ignored without a terminal, so a runtime need not read it"),
    UNREAD[1].advisory(FOR_EXEC),
    UNREAD[2].advisory(FOR_EXEC),
    UNREAD[3].advisory("a key that is unknown is no error, so a runtime need not look at keys"),
];

const FOR_EXEC: &str =
    "execCPUAffinity is for exec, which is no operation of the specification, so create need not read it";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}
