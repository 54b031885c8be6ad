//! Containers that cannot be created or started: the error leaves nothing behind (`runtime.md#create`, `runtime.md#start`).

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::profile::Op;
use serde_json::json;

use crate::refusal::{create_refuses, never_runs};

const CITES: &[&str] = &[
    "runtime.create.unappliable-property-error",
    "runtime.create.unappliable-property-no-container",
    "runtime.lifecycle.environment-failure-error",
    "runtime.errors.no-side-effects",
];

/// Each of these demands something that this host cannot give.
pub(super) const UNAPPLIABLE: &[Scenario] = create_refuses! { CITES;
    "lifecycle.unappliable/bind-source-missing",
        |r| r.mount("/data", "none", "{bundle}/nothing", &["bind"]), &[Fault::DropLast("/mounts")];
    "lifecycle.unappliable/filesystem-unknown",
        |r| r.mount("/data", "nosuchfs", "none", &[]), &[Fault::DropLast("/mounts")];
    "lifecycle.unappliable/mount-data-unknown",
        |r| r.mount("/data", "tmpfs", "tmpfs", &["nosuchoption=1"]), &[Fault::DropLast("/mounts")];
    "lifecycle.unappliable/bind-of-directory-on-file",
        |r| r.file("/data", "").directory_beside("data").mount("/data", "none", "{bundle}/data", &["bind"]),
        &[Fault::DropLast("/mounts")];
    "lifecycle.unappliable/root-missing", |r| r.set("/root/path", "nothing"), &[Fault::Take("/root/path", "\"rootfs\"")];
    "lifecycle.unappliable/root-is-a-file",
        |r| r.beside("file", "").set("/root/path", "file"), &[Fault::Take("/root/path", "\"rootfs\"")];
    "lifecycle.unappliable/namespace-missing",
        |r| r.push("/linux/namespaces", json!({ "type": "network", "path": "{bundle}/nothing" })),
        &[Fault::DropLast("/linux/namespaces"), Fault::Drop("/linux/namespaces/4/path")];
    "lifecycle.unappliable/namespace-is-a-file",
        |r| r.push("/linux/namespaces", json!({ "type": "network", "path": "{bundle}/config.json" })),
        &[Fault::DropLast("/linux/namespaces"), Fault::Drop("/linux/namespaces/4/path")];
    "lifecycle.unappliable/namespace-of-another-type",
        |r| r.push("/linux/namespaces", json!({ "type": "network", "path": "/proc/self/ns/uts" })),
        &[Fault::DropLast("/linux/namespaces"), Fault::Drop("/linux/namespaces/4/path")];
    "lifecycle.unappliable/sysctl-unknown",
        |r| r.set("/linux/sysctl", json!({ "kernel.shm_nosuch": "1" })), &[Fault::Drop("/linux/sysctl")];
    "lifecycle.unappliable/sysctl-value",
        |r| r.set("/linux/sysctl", json!({ "kernel.msgmax": "many" })), &[Fault::Drop("/linux/sysctl")];
    "lifecycle.unappliable/hostname-too-long",
        |r| r.set("/hostname", "x".repeat(65)), &[Fault::Drop("/hostname")];
    "lifecycle.unappliable/create-runtime-hook-missing",
        |r| r.push("/hooks/createRuntime", json!({ "path": "{bundle}/nothing" })), &[Fault::Drop("/hooks")];
};

/// Without a process a container can be created, or not; it cannot be started.
pub(super) const UNSET: &[Scenario] = never_runs! { &["runtime.start.process-unset-error"];
    "lifecycle.start/process-unset", |r| r.remove("/process"),
        &[Fault::Succeed(Op::Create), Fault::Succeed(Op::Start)];
};

const NEVER: &[&str] = &["runtime.create.unappliable-property-error", "runtime.lifecycle.environment-failure-error"];

/// Properties of the process may be applied at start, so the error may come then.
pub(super) const SCENARIOS: &[Scenario] = never_runs! { NEVER;
    "lifecycle.unappliable/program-missing",
        |r| r.args(&["/no/such/program"]), &[Fault::Take("/process/args/0", "\"/probe\"")];
    "lifecycle.unappliable/program-not-in-path",
        |r| r.args(&["nosuchprogram"]), &[Fault::Take("/process/args/0", "\"/probe\"")];
    "lifecycle.unappliable/program-not-executable",
        |r| r.file("/text", "#!/probe\n").args(&["/text"]), &[Fault::Take("/process/args/0", "\"/probe\"")];
    "lifecycle.unappliable/program-is-a-directory",
        |r| r.args(&["/etc"]), &[Fault::Take("/process/args/0", "\"/probe\"")];
    "lifecycle.unappliable/current-directory-is-a-file",
        |r| r.file("/text", "").set("/process/cwd", "/text"), &[Fault::Take("/process/cwd", "\"/\"")];
    "lifecycle.unappliable/apparmor-without-apparmor",
        |r| r.set("/process/apparmorProfile", "plimsoll-nosuch"), &[Fault::Drop("/process/apparmorProfile")];
};
