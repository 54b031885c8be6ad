//! The state document at each stage of the lifecycle (`runtime.md#state`).

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::State;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_reports::model::Axis;
use serde_json::{Value, json};

use super::schema::{breaches, is_semantic_version};

/// A life that was led to its end, and what `state` said on the way.
struct Lifecycle {
    id: String,
    /// The process that was created and then ran the program.
    pid: i64,
    states: [(&'static str, State); 3],
}

fn lifecycle(lab: &Lab<'_>, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult<Lifecycle> {
    let container = lab.created(edits)?;
    let created = container.state()?;
    container.started()?;
    let running = container.state()?;
    container.finish()?;
    let stopped = container.state()?;
    container.delete()?.ok()?;
    let (id, pid) = (container.id().to_owned(), container.pid.as_raw().into());
    Ok(Lifecycle { id, pid, states: [("created", created), ("running", running), ("stopped", stopped)] })
}

fn each(lab: &Lab<'_>, mut judge: impl FnMut(&str, &Lifecycle, &State)) -> StepResult {
    let lifecycle = lifecycle(lab, |r| r)?;
    lifecycle.states.iter().for_each(|(stage, state)| judge(stage, &lifecycle, state));
    Ok(())
}

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "lifecycle.state/keeps-the-schema",
        &[
            "runtime.state.json-schema",
            "runtime.query-state.returns-state",
            "schema.state.required-members",
            "schema.state.pid-non-negative",
            "schema.state.status-enum",
        ],
        &[
            Fault::Lie("/ociVersion", ""),
            Fault::Lie("/bundle", ""),
            Fault::Lie("/pid", "-1"),
            Fault::Lie("/annotations", "null"),
        ],
        |lab, out| {
            each(lab, |stage, _, state| {
                let found = breaches(&state.0);
                out.expect(&format!("state when {stage}"), found.is_empty(), "kept schema", found);
            })
        },
    ),
    Scenario::new(
        "lifecycle.state/status",
        &[
            "runtime.state.status-present",
            "runtime.state.status-created",
            "runtime.state.status-running",
            "runtime.state.status-stopped",
            "runtime.state.status-custom-only-new-states",
        ],
        &[Fault::Lie("/status", "\"running\""), Fault::Lie("/status", "\"Created\"")],
        |lab, out| each(lab, |stage, _, state| out.expect_eq("status", state.status().as_str(), stage)),
    ),
    Scenario::new(
        "lifecycle.state/id",
        &["runtime.state.id-present"],
        &[Fault::Lie("/id", "\"other\""), Fault::Lie("/id", "")],
        |lab, out| {
            each(lab, |stage, lifecycle, state| {
                out.expect_eq(&format!("id when {stage}"), &state.0["id"], lifecycle.id.as_str())
            })
        },
    ),
    Scenario::new(
        "lifecycle.state/oci-version",
        &["runtime.state.oci-version-present"],
        &[Fault::Lie("/ociVersion", "\"1.0\""), Fault::Lie("/ociVersion", "\"0.1.0\""), Fault::Lie("/ociVersion", "")],
        |lab, out| {
            each(lab, |stage, _, state| {
                let version = &state.0["ociVersion"];
                // No release before 1.0.0 describes what these runtimes print.
                let met = version.as_str().is_some_and(|text| is_semantic_version(text) && text.starts_with("1."));
                out.expect(&format!("ociVersion when {stage}"), met, "a semantic version 1.x", version);
            })
        },
    ),
    // The version of the state is not the one that happens to stand in config.json; runtimes copy it.
    Scenario::new(
        "lifecycle.state/oci-version-is-not-copied",
        &["runtime.state.oci-version-meaning"],
        &[Fault::Lie("/ociVersion", "\"1.0.1\"")],
        |lab, out| {
            let lifecycle = lifecycle(lab, |r| r.set("/ociVersion", "1.0.1"))?;
            let version = &lifecycle.states[1].1.0["ociVersion"];
            out.expect("ociVersion", version != "1.0.1", "the release that the state follows", version);
            Ok(())
        },
    )
    .advisory("a state that keeps to that release, too, may say so"),
    Scenario::new(
        "lifecycle.state/pid-is-the-container-process",
        &["runtime.state.pid-when-created-or-running", "runtime.state.pid-is-container-process"],
        &[Fault::Lie("/pid", "1"), Fault::Lie("/pid", "")],
        |lab, out| {
            let container = lab.created(|r| r)?;
            let created = container.state()?.pid();
            let hello = container.started()?;
            let running = container.state()?.pid();
            let seen = container.observe()?.status.nspid;
            out.expect_eq("the process inside is the one that create named", seen.last(), Some(&hello.pid));
            out.expect_eq("pid when created", created, Some(container.pid.as_raw().into()));
            out.expect_eq("pid when running", running, Some(container.pid.as_raw().into()));
            container.finish_and_delete()
        },
    )
    .needs(&[Need::HostView]),
    Scenario::new(
        "lifecycle.state/no-pid-when-stopped",
        &["runtime.state.pid-when-created-or-running"],
        &[Fault::Lie("/pid", "7")],
        |lab, out| {
            let lifecycle = lifecycle(lab, |r| r)?;
            let pid = lifecycle.states[2].1.pid();
            out.expect("pid when stopped", matches!(pid, None | Some(0)), "absent or 0", (pid, lifecycle.pid));
            Ok(())
        },
    )
    .advisory("what is said of pid is about `created` and `running` alone"),
    Scenario::new(
        "lifecycle.state/pid-file",
        &["runtime.state.pid-is-container-process"],
        &[Fault::Lie("/pid", "7")],
        |lab, out| {
            let container = lab.created(|r| r)?;
            let written = lab.named_in(&lab.pid_file(&container.bundle))?.unwrap_or_default();
            out.expect_eq("the pid file against the state", written.parse().ok(), container.state()?.pid());
            container.started()?;
            container.finish_and_delete()
        },
    )
    .axis(Axis::Compat),
    Scenario::new(
        "lifecycle.state/without-annotations",
        &["runtime.state.annotations-none"],
        &[Fault::Lie("/annotations", "null"), Fault::Lie("/annotations", "[]")],
        |lab, out| {
            each(lab, |stage, _, state| {
                let annotations = state.0.get("annotations");
                let met = annotations.is_none_or(Value::is_object);
                out.expect(&format!("annotations when {stage}"), met, "absent, or an object", annotations);
            })
        },
    ),
];

macro_rules! annotations {
    ($($id:literal, $key:literal => $value:literal, [$($cite:literal),*];)*) => {
        &[$(Scenario::new(
            $id,
            &["runtime.state.annotations-content" $(, $cite)*],
            &[Fault::Drop("/annotations"), Fault::Take("/annotations", "{\"other\":\"\"}")],
            |lab, out| annotation(lab, out, $key, $value),
        )),*]
    };
}

/// Annotations reach the state as they are, whatever they hold.
pub(super) const ANNOTATIONS: &[Scenario] = annotations! {
    "lifecycle.annotations/plain", "com.example.key" => "value", [];
    "lifecycle.annotations/unknown-key", "no.such.domain.random-4711" => "x", ["config.annotations.unknown-key-handling"];
    "lifecycle.annotations/unknown-reserved-key", "org.opencontainers.nosuch" => "x",
        ["config.annotations.unknown-key-handling"];
    "lifecycle.annotations/empty-value", "com.example.empty" => "", ["config.annotations.value-may-be-empty"];
    "lifecycle.annotations/unicode", "com.example.schlüssel" => "Größe ≠ 0 — 船 🚢", [];
    "lifecycle.annotations/slashes", "com.example/a/b" => "/a//b\\c/../d", [];
    "lifecycle.annotations/control-characters", "com.example.control" => "a\nb\tc\u{1}\u{7f}\"'", [];
    "lifecycle.annotations/markup", "com.example.markup" => "<a href=\"x\">&amp;</a>\u{2028}", [];
    "lifecycle.annotations/json", "com.example.json" => "{\"a\": [1, \"b\", null]}", ["config.annotations.free-content"];
    "lifecycle.annotations/image-key", "org.opencontainers.image.stopSignal" => "SIGTERM",
        ["config.annotations.image-keys-usable"];
};

fn annotation(lab: &Lab<'_>, out: &mut Judgement, key: &str, value: &str) -> StepResult {
    let lifecycle = lifecycle(lab, |r| r.set("/annotations", json!({ key: value, "com.example.other": "too" })))?;
    for (stage, state) in &lifecycle.states {
        let annotations = &state.0["annotations"];
        out.expect_eq(&format!("{key} when {stage}"), annotations[key].as_str(), Some(value));
        out.expect_eq(&format!("the other one when {stage}"), annotations["com.example.other"].as_str(), Some("too"));
    }
    Ok(())
}
