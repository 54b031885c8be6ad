//! `features`: what this runtime knows, printed from the very tables that parse and act. Specification: `features.md`.

use serde_json::{Value, json};

use crate::config::{Action, Arch, Flag, HookKind, NamespaceKind, OCI_VERSION, OCI_VERSION_MIN, Operator};
use crate::init::{capability, memory_policy};
use crate::rootfs::options;
use crate::seccomp;

/// The features document.
pub fn features() -> Value {
    json!({
        "ociVersionMin": OCI_VERSION_MIN,
        "ociVersionMax": OCI_VERSION,
        "hooks": HookKind::ALL.map(HookKind::name),
        "mountOptions": options::known().collect::<Vec<_>>(),
        "linux": {
            "namespaces": NamespaceKind::ALL.map(NamespaceKind::name),
            "capabilities": capability::NAMES.as_slice(),
            "cgroup": { "v1": true, "v2": true, "systemd": true, "systemdUser": true, "rdma": true },
            "seccomp": {
                "enabled": true,
                "actions": names(Action::NAMES),
                "operators": names(Operator::NAMES),
                "archs": names(Arch::NAMES),
                "knownFlags": names(Flag::NAMES),
                "supportedFlags": seccomp::supported_flags(),
            },
            "apparmor": { "enabled": true },
            "selinux": { "enabled": true },
            "intelRdt": { "enabled": true, "schemata": true, "monitoring": true },
            "memoryPolicy": {
                "modes": memory_policy::modes().collect::<Vec<_>>(),
                "flags": memory_policy::flags().collect::<Vec<_>>(),
            },
            "mountExtensions": { "idmap": { "enabled": true } },
            "netDevices": { "enabled": true },
        },
        // The one annotation that this runtime acts upon: a file of settings for criu.
        "potentiallyUnsafeConfigAnnotations": ["org.criu.config"],
        "annotations": { "org.plimsoll.runtime.version": env!("CARGO_PKG_VERSION") },
    })
}

/// The names of a table.
fn names<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(name, _)| *name).collect()
}
