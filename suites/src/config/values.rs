//! Invalid values of known properties (`config.md#valid-values`): each row is a property, a valid value and an invalid one. The valid one
//! must run first, so that nothing else is the reason of the refusal.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use serde_json::Value;

use crate::refusal;

const CITES: &[&str] = &["config.values.invalid-error", "runtime.errors.no-side-effects"];

macro_rules! invalid {
    ($when:ident: $($name:literal, $pointer:literal: $valid:literal not $invalid:literal;)*) => {
        &[$(Scenario::new(concat!("config.values/", $name), CITES, &[Fault::Take($pointer, $valid)], |lab, out| {
            lab.control(|r| r.set($pointer, json($valid)))?;
            refusal::$when(lab, out, &lab.bundle(|r| r.set($pointer, json($invalid)))?)
        })),*]
    };
}

/// The process may be set up at start, so the error may come then.
pub(super) const PROCESS: &[Scenario] = invalid! { by_create_or_start:
    "process-args-is-a-string", "/process/args": r#"["/probe"]"# not r#""/probe""#;
    "process-args-has-a-number", "/process/args": r#"["/probe", "1"]"# not r#"["/probe", 1]"#;
    "process-args-is-empty", "/process/args": r#"["/probe"]"# not "[]";
    "process-env-is-an-object", "/process/env": r#"["A=b"]"# not r#"{"A": "b"}"#;
    "process-cwd-is-a-number", "/process/cwd": r#""/tmp""# not "1";
    "process-cwd-is-relative", "/process/cwd": r#""/tmp""# not r#""tmp""#;
    "process-cwd-is-empty", "/process/cwd": r#""/tmp""# not r#""""#;
    "process-terminal-is-a-string", "/process/terminal": "false" not r#""false""#;
    "process-user-is-a-name", "/process/user": r#"{"uid": 0, "gid": 0}"# not r#""root""#;
    "process-uid-is-a-string", "/process/user/uid": "1000" not r#""1000""#;
    "process-uid-is-negative", "/process/user/uid": "1000" not "-1";
    "process-uid-is-fractional", "/process/user/uid": "1000" not "1000.5";
    "process-uid-is-2-to-32", "/process/user/uid": "1000" not "4294967296";
    "process-gid-is-2-to-32", "/process/user/gid": "1000" not "4294967296";
    "process-additional-gid-is-negative", "/process/user/additionalGids": "[5]" not "[-5]";
    "process-capabilities-is-a-list", "/process/capabilities": "{}" not r#"["CAP_KILL"]"#;
    "process-no-new-privileges-is-a-number", "/process/noNewPrivileges": "true" not "1";
    "process-rlimit-of-unknown-type",
        "/process/rlimits": r#"[{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]"#
        not r#"[{"type": "RLIMIT_NOSUCH", "soft": 0, "hard": 0}]"#;
    "process-rlimit-without-prefix",
        "/process/rlimits": r#"[{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]"#
        not r#"[{"type": "CORE", "soft": 0, "hard": 0}]"#;
    "process-rlimit-is-negative",
        "/process/rlimits": r#"[{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]"#
        not r#"[{"type": "RLIMIT_CORE", "soft": -1, "hard": -1}]"#;
    "process-rlimit-is-2-to-65",
        "/process/rlimits": r#"[{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]"#
        not r#"[{"type": "RLIMIT_CORE", "soft": 0, "hard": 36893488147419103232}]"#;
    "process-oom-score-adj-is-a-string", "/process/oomScoreAdj": "100" not r#""100""#;
    "process-oom-score-adj-is-too-high", "/process/oomScoreAdj": "100" not "1001";
};

/// All else has to be applied by create.
pub(super) const OTHERS: &[Scenario] = invalid! { by_create:
    "oci-version-is-a-number", "/ociVersion": r#""1.0.2""# not "1";
    "root-is-a-string", "/root": r#"{"path": "rootfs"}"# not r#""rootfs""#;
    "root-path-is-a-number", "/root/path": r#""rootfs""# not "1";
    "root-path-is-empty", "/root/path": r#""rootfs""# not r#""""#;
    "root-readonly-is-a-string", "/root/readonly": "true" not r#""true""#;
    "hostname-is-a-number", "/hostname": r#""1""# not "1";
    "hostname-is-a-list", "/hostname": r#""a""# not r#"["a"]"#;
    "mounts-is-an-object",
        "/mounts": r#"[{"destination": "/proc", "type": "proc", "source": "proc"}]"#
        not r#"{"/proc": {"type": "proc", "source": "proc"}}"#;
    "mount-is-a-string", "/mounts/6": r#"{"destination": "/m", "type": "tmpfs", "source": "m"}"# not r#""/m""#;
    "mount-destination-is-a-number",
        "/mounts/6": r#"{"destination": "/7", "type": "tmpfs", "source": "m"}"#
        not r#"{"destination": 7, "type": "tmpfs", "source": "m"}"#;
    "mount-options-is-a-string",
        "/mounts/6": r#"{"destination": "/m", "type": "tmpfs", "source": "m", "options": ["ro"]}"#
        not r#"{"destination": "/m", "type": "tmpfs", "source": "m", "options": "ro"}"#;
    "annotations-is-a-list", "/annotations": r#"{"com.example.a": "b"}"# not r#"["com.example.a=b"]"#;
    "annotation-is-a-number", "/annotations": r#"{"com.example.a": "1"}"# not r#"{"com.example.a": 1}"#;
    "annotation-is-an-object", "/annotations": r#"{"com.example.a": "1"}"# not r#"{"com.example.a": {}}"#;
    "hooks-is-a-list", "/hooks": "{}" not "[]";
    "hook-list-is-an-object", "/hooks": r#"{"poststop": []}"# not r#"{"poststop": {"path": "/x"}}"#;
    "linux-is-a-list",
        "/linux": r#"{"namespaces": [{"type": "mount"}, {"type": "pid"}]}"# not r#"["namespaces"]"#;
    "namespaces-is-an-object",
        "/linux/namespaces": r#"[{"type": "mount"}, {"type": "pid"}]"# not r#"{"type": "mount"}"#;
    "namespace-of-unknown-type",
        "/linux/namespaces": r#"[{"type": "mount"}, {"type": "pid"}, {"type": "network"}]"#
        not r#"[{"type": "mount"}, {"type": "pid"}, {"type": "net"}]"#;
    "namespace-in-other-case",
        "/linux/namespaces": r#"[{"type": "mount"}, {"type": "pid"}, {"type": "uts"}]"#
        not r#"[{"type": "mount"}, {"type": "pid"}, {"type": "UTS"}]"#;
    "namespace-type-is-a-number",
        "/linux/namespaces": r#"[{"type": "mount"}, {"type": "pid"}, {"type": "uts"}]"#
        not r#"[{"type": "mount"}, {"type": "pid"}, {"type": 1}]"#;
    "cgroups-path-is-a-number", "/linux/cgroupsPath": r#""{cgroup}""# not "1";
    "masked-paths-is-a-string", "/linux/maskedPaths": r#"["/tmp"]"# not r#""/tmp""#;
    "readonly-paths-has-a-number", "/linux/readonlyPaths": r#"["/tmp"]"# not "[1]";
    "sysctl-is-a-number", "/linux/sysctl": r#"{"kernel.msgmax": "8192"}"# not r#"{"kernel.msgmax": 8192}"#;
    "rootfs-propagation-is-unknown", "/linux/rootfsPropagation": r#""private""# not r#""public""#;
};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}
