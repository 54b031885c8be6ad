//! Required members (`config.md`): without one of them there is no container.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use serde_json::json;

use crate::refusal::{by_create, by_create_or_start};

macro_rules! missing {
    ($($name:literal, $pointer:literal or $valid:literal, $judge:ident, [$($cite:literal),+];)*) => {
        &[$(Scenario::new(
            concat!("config.required-members/", $name),
            &[$($cite),+, "config.values.invalid-error", "runtime.errors.no-side-effects"],
            &[Fault::Take($pointer, $valid)],
            |lab, out| $judge(lab, out, &lab.bundle(|r| {
                r.mount("/m", "tmpfs", "m", &[]).push("/linux/namespaces", json!({ "type": "network" })).remove($pointer)
            })?),
        )),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = missing! {
    "root", "/root" or r#"{"path": "rootfs"}"#, by_create, ["config.root.required"];
    "root-path", "/root/path" or r#""rootfs""#, by_create, ["config.root.path-required"];
    "process-cwd", "/process/cwd" or r#""/""#, by_create_or_start, ["config.process.cwd-required"];
    "process-args", "/process/args" or r#"["/probe"]"#, by_create_or_start, ["config.process.args-at-least-one"];
    "mount-destination", "/mounts/6/destination" or r#""/m""#, by_create, ["config.mounts.destination-required"];
    "namespace-type", "/linux/namespaces/4/type" or r#""network""#, by_create, ["linux.namespaces.type-required"];
};

/// A version that is no version, or one that no runtime can support, is refused like any other such value.
pub(super) const VERSIONS: &[Scenario] = &[
    Scenario::new(
        "config.required-members/oci-version",
        &["config.oci-version.present", "config.values.invalid-error"],
        &[Fault::Take("/ociVersion", "\"1.0.2\"")],
        |lab, out| by_create(lab, out, &lab.bundle(|r| r.remove("/ociVersion"))?),
    ),
    Scenario::new(
        "config.oci-version/no-semantic-version",
        &["config.oci-version.semver", "config.values.invalid-error"],
        &[Fault::Take("/ociVersion", "\"1.0.2\"")],
        |lab, out| {
            for version in ["", "1.0", "v1.0.2", "latest"] {
                by_create(lab, out, &lab.bundle(|r| r.set("/ociVersion", version))?)?;
            }
            Ok(())
        },
    ),
    Scenario::new(
        "config.oci-version/next-major",
        &["config.oci-version.same-major-compatible", "config.values.unsupported-error"],
        &[Fault::Take("/ociVersion", "\"1.0.2\"")],
        |lab, out| by_create(lab, out, &lab.bundle(|r| r.set("/ociVersion", "2.0.0"))?),
    ),
];
