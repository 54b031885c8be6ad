//! `features`: what this runtime knows, printed from the very tables that parse and act. Specification: `features.md`.

use serde_json::{Value, json};

use crate::config::{HookKind, NamespaceKind, OCI_VERSION, OCI_VERSION_MIN};
use crate::init::{capability, memory_policy};
use crate::rootfs::options;

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
        "annotations": { "org.plimsoll.runtime.version": env!("CARGO_PKG_VERSION") },
    })
}
