//! The document itself: the two releases, its members, its annotations.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_engine::release::Release;
use plimsoll_fixtures::probe::Ask;
use serde_json::{Value, json};

use super::values::{lived, mounted, used};
use super::{document, said};

const MIN: &str = "/ociVersionMin";
const MAX: &str = "/ociVersionMax";

/// Members that a later release brought, and that release.
const LATER: &[(&str, Release)] = &[
    ("/potentiallyUnsafeConfigAnnotations", Release(1, 2, 0)),
    ("/linux/mountExtensions", Release(1, 2, 0)),
    ("/linux/memoryPolicy", Release(1, 3, 0)),
    ("/linux/intelRdt/schemata", Release(1, 3, 0)),
    ("/linux/intelRdt/monitoring", Release(1, 3, 0)),
    ("/linux/netDevices", Release(1, 3, 0)),
];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "features.oci-version/present-and-ordered",
        &[
            "features.oci-version-min-present",
            "features.oci-version-max-present",
            "features.oci-version-ordered",
            "schema.features.required-members",
        ],
        &[
            Fault::Misreport(Op::Features, MIN, "null"),
            Fault::Misreport(Op::Features, MAX, "\"1\""),
            Fault::Misreport(Op::Features, MIN, "\"99.0.0\""),
        ],
        |lab, out| {
            let document = document(lab)?;
            let (min, max) = (release(&document, MIN), release(&document, MAX));
            out.expect("ociVersionMin", min.is_some(), "a semantic version", document.pointer(MIN));
            out.expect("ociVersionMax", max.is_some(), "a semantic version", document.pointer(MAX));
            out.expect("ociVersionMin", min <= max, "not above ociVersionMax", (min, max));
            Ok(())
        },
    ),
    Scenario::new(
        "features.oci-version/least-is-accepted",
        &["features.oci-version-min-accepted"],
        &[Fault::Fail(Op::Create)],
        |lab, out| accepted(lab, out, MIN),
    ),
    Scenario::new(
        "features.oci-version/greatest-is-accepted",
        &["features.oci-version-max-accepted"],
        // Some runtimes accept any release, so that a false claim could not be detected.
        &[Fault::Fail(Op::Create)],
        |lab, out| accepted(lab, out, MAX),
    ),
    Scenario::new(
        "features.members/none-of-a-later-release",
        &["features.only-properties-of-max-version"],
        // One of release 1.1.0 has no such member to begin with.
        &[Fault::All(&[
            Fault::Misreport(Op::Features, MAX, "\"1.1.0\""),
            Fault::Misreport(Op::Features, "/linux/netDevices", r#"{"enabled": true}"#),
        ])],
        |lab, out| {
            let document = document(lab)?;
            let greatest = release(&document, MAX);
            let later = LATER.iter().filter(|(_, since)| greatest < Some(*since));
            let later = later.filter(|(pointer, _)| document.pointer(pointer).is_some_and(|value| !value.is_null()));
            let later: Vec<&str> = later.map(|(pointer, _)| *pointer).collect();
            out.expect_eq("members that a release above ociVersionMax brought", later, [""; 0]);
            Ok(())
        },
    ),
    Scenario::new(
        "features.members/the-same-each-time",
        &["features.compile-time"],
        &[Fault::Flaky(Op::Features, 0)],
        |lab, out| {
            let first = sorted(document(lab)?);
            for time in 2..=6 {
                out.expect_eq(&format!("features, call {time}"), sorted(document(lab)?), first.clone());
            }
            Ok(())
        },
    ),
    Scenario::new(
        "features.annotations/map-of-strings",
        &["features.annotations-map-rules"],
        &[
            Fault::Misreport(Op::Features, "/annotations", r#"{"": "value"}"#),
            Fault::Misreport(Op::Features, "/annotations", r#"{"com.example": 1}"#),
        ],
        |lab, out| {
            let document = document(lab)?;
            let annotations = said(&document, "/annotations")?;
            let fits = |map: &serde_json::Map<String, Value>| {
                map.iter().all(|(key, value)| !key.is_empty() && value.is_string())
            };
            let fit = annotations.as_object().is_some_and(fits);
            out.expect("annotations", fit, "an object of strings with names that are not empty", annotations);
            Ok(())
        },
    ),
    Scenario::new(
        "features.seccomp/supported-flags-are-known",
        &["features.linux.seccomp-supported-flags-subset", "features.linux.seccomp-known-flags-recognised"],
        &[Fault::Misreport(Op::Features, "/linux/seccomp/knownFlags", "[]")],
        |lab, out| {
            let document = document(lab)?;
            let known = said(&document, "/linux/seccomp/knownFlags")?.as_array();
            let supported = said(&document, "/linux/seccomp/supportedFlags")?.as_array();
            let unknown =
                supported.into_iter().flatten().filter(|flag| !known.is_some_and(|known| known.contains(flag)));
            out.expect_eq("supported flags that are not known", unknown.collect::<Vec<_>>(), Vec::<&Value>::new());
            Ok(())
        },
    ),
    Scenario::new(
        "features.mounts/no-options-of-filesystems",
        &["features.mount-options-no-fs-specific"],
        &[Fault::Misreport(Op::Features, "/mountOptions", r#"["size"]"#)],
        |lab, out| {
            const OF_FILESYSTEMS: [&str; 6] = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks"];
            let document = document(lab)?;
            let listed = said(&document, "/mountOptions")?.as_array();
            let found = OF_FILESYSTEMS.iter().filter(|name| listed.is_some_and(|all| all.contains(&json!(name))));
            out.expect_eq("options of filesystems", found.collect::<Vec<_>>(), Vec::<&&str>::new());
            Ok(())
        },
    ),
    Scenario::new(
        "features.mounts/idmap-that-works-is-enabled",
        &["features.linux.idmap-partial-is-true"],
        &[Fault::Misreport(Op::Features, "/linux/mountExtensions/idmap/enabled", "false")],
        idmap_that_works,
    )
    .needs(&[Need::Kernel(6, 3), Need::Namespace("user")]),
];

fn release(document: &Value, pointer: &str) -> Option<Release> {
    document.pointer(pointer)?.as_str().and_then(Release::parse)
}

/// The words of a list are a set: their order says nothing.
fn sorted(document: Value) -> Value {
    match document {
        Value::Array(mut words) => {
            words.sort_by_key(Value::to_string);
            Value::Array(words)
        }
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, sorted(value))).collect(),
        other => other,
    }
}

fn accepted(lab: &Lab<'_>, out: &mut Judgement, which: &str) -> StepResult {
    let document = document(lab)?;
    let release = said(&document, which)?;
    used(lab, out, &release.to_string(), |r| r.set("/ociVersion", release))
}

/// When the owner of a file is translated by a mount, the runtime may not say that it cannot do that.
fn idmap_that_works(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    const ENABLED: &str = "/linux/mountExtensions/idmap/enabled";
    let document = document(lab)?;
    let enabled = said(&document, ENABLED)?;
    let attempt = lab.try_create(&lab.bundle(|r| mounted(r, "idmap", "/m"))?)?;
    let works = attempt.outcome.succeeded()
        && lived(attempt, |container| {
            let evidence = container.evidence(vec![Ask::Stat("/m/file".into())])?;
            Ok(evidence.inside.stat("/m/file").is_ok_and(|stat| stat.uid == 1000))
        })?;
    out.expect(ENABLED, *enabled == json!(true) || !works, "true, for such a mount works", enabled);
    Ok(())
}
