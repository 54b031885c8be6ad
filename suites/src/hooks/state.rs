//! The state of the container on the standard input of a hook (`runtime.md#state`).

use std::time::Duration;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::deadline::scaled;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::HookRecord;
use serde_json::{Value, json};

use super::kind::{self, IT, Kind, Lifecycle, long_annotation, names};

macro_rules! document {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.state/", $slug),
            &[
                "config.hooks.state-on-stdin",
                "runtime.state.json-schema",
                "runtime.state.id-present",
                "runtime.state.bundle-present",
                "runtime.state.bundle-absolute",
                "runtime.state.oci-version-present",
                "runtime.state.status-present",
            ],
            &[
                Fault::Push(concat!("/hooks/", $member, "/0/args"), "\"no-stdin\""),
                Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/id=\"other\"""#),
                Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/bundle=\"rootfs\"""#),
                Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/ociVersion=1""#),
                Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/status=null""#),
                Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/pid=\"1\"""#),
            ],
            |lab, out| document(&kind::$kind, lab, out),
        )
    };
}
pub(super) const DOCUMENT: &[Scenario] = for_each_kind!(document);

/// The state that a hook read.
fn read(record: &HookRecord) -> StepResult<Value> {
    match serde_json::from_str(&record.stdin) {
        Ok(state @ Value::Object(_)) => Ok(state),
        Ok(_) | Err(_) => {
            Err(Stop::broken(format!("standard input of {}", record.name), "a JSON object", record.stdin.clone()))
        }
    }
}

/// Members that the schema of the state requires, and those of which it tells the type.
fn document(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &[]))?;
    let state = read(lifecycle.record(IT)?)?;
    out.expect_eq("id", &state["id"], &json!(lifecycle.bundle.id));
    out.expect_eq("bundle", &state["bundle"], &json!(lifecycle.bundle.dir));
    out.expect("ociVersion", state["ociVersion"].is_string(), "a string", &state["ociVersion"]);
    out.expect("status", state["status"].as_str().is_some_and(|s| !s.is_empty()), "a word", &state["status"]);
    let pid = state.get("pid").is_none_or(Value::is_u64);
    out.expect("pid", pid, "absent, or a number that is not negative", &state["pid"]);
    Ok(())
}

macro_rules! pid {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.state-pid/", $slug),
            if kind::$kind.in_namespaces {
                &["runtime.state.pid-in-container-namespace-hook"]
            } else {
                &["runtime.state.pid-in-runtime-namespace-hook"]
            },
            &[
                Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/pid=0""#),
                Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/pid=7""#),
            ],
            |lab, out| pid(&kind::$kind, lab, out),
        )
        .needs(&[Need::HostView])
    };
}
pub(super) const PID: &[Scenario] = for_each_kind!(living pid);

/// The container's process, by the number that it has where the hook runs.
fn pid(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &[]))?;
    let inside = lifecycle.process.as_ref().and_then(|process| process.status.nspid.last().copied());
    let expected = if kind.in_namespaces { inside } else { Some(lifecycle.pid.as_raw()) };
    let state = read(lifecycle.record(IT)?)?;
    // The state must have a pid from `created` on.
    let may_lack = kind.during == Op::Create && state["status"] == "creating" && state.get("pid").is_none();
    let expected = json!(expected);
    out.expect("pid", may_lack || state["pid"] == expected, expected.to_string(), &state["pid"]);
    Ok(())
}

macro_rules! status {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario {
            advisory: status_room(&kind::$kind),
            ..Scenario::new(
                concat!("hooks.state-status/", $slug),
                status_clause(&kind::$kind),
                &[Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/status=\"paused\"""#)],
                |lab, out| status(&kind::$kind, lab, out),
            )
        }
    };
}

pub(super) const STATUS: &[Scenario] = for_each_kind!(status);

const fn status_clause(kind: &Kind) -> &'static [&'static str] {
    match kind.during {
        Op::Create => &["runtime.state.status-creating"],
        Op::Start if kind.in_rootfs => &["runtime.state.status-created"],
        Op::Start => &["runtime.state.status-running"],
        _ => &["runtime.state.status-stopped"],
    }
}

/// `creating` is step 2 of the lifecycle, `created` comes after it, and these hooks are steps 3 to 5 of what create does.
const fn status_room(kind: &Kind) -> Option<&'static str> {
    match kind.during {
        Op::Create => {
            Some("hooks of create come after the step that `creating` stands for, and before create has ended")
        }
        Op::Start if kind.in_rootfs => Some(
            "a runtime may have further statuses between those that are named, though the schema of the state has none",
        ),
        _ => None,
    }
}

fn status(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &[]))?;
    out.expect_eq("status", &read(lifecycle.record(IT)?)?["status"], &json!(kind.status));
    Ok(())
}

macro_rules! untrue {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.state-status-plausible/", $slug),
            &["runtime.state.status-custom-only-new-states"],
            &[Fault::Push(concat!("/hooks/", $member, "/0/args"), r#""false-state=/status=\"stopped\"""#)],
            |lab, out| untrue(&kind::$kind, lab, out),
        )
    };
}
pub(super) const UNTRUE: &[Scenario] = for_each_kind!(living untrue);

/// When exactly a status changes is a matter of opinion, but nothing has stopped before its program has ended, and
/// nothing runs before start.
fn untrue(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &[]))?;
    let status = &read(lifecycle.record(IT)?)?["status"];
    out.expect("status", status != "stopped", "anything but stopped", status);
    if kind.during == Op::Create {
        out.expect("status during create", status != "running", "anything but running", status);
    }
    Ok(())
}

macro_rules! annotations {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.state-annotations/", $slug),
            &["runtime.state.annotations-content", "config.hooks.state-on-stdin"],
            &[Fault::Drop("/annotations/org.plimsoll.second"), Fault::Take("/annotations/org.plimsoll.first", "\"\"")],
            |lab, out| annotations(&kind::$kind, lab, out),
        )
    };
}
pub(super) const ANNOTATIONS: &[Scenario] = for_each_kind!(annotations);

/// Those of the configuration; a runtime may add its own.
fn annotations(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let given = json!({ "org.plimsoll.first": "one \"1\" é\n", "org.plimsoll.second": "" });
    let lifecycle = Lifecycle::of(lab, |r| r.set("/annotations", given).hook(kind.member, IT, &[]))?;
    let state = read(lifecycle.record(IT)?)?;
    for (key, value) in lifecycle.bundle.config.get("/annotations").and_then(Value::as_object).into_iter().flatten() {
        out.expect_eq(&format!("annotation {key}"), state["annotations"].get(key), Some(value));
    }
    Ok(())
}

macro_rules! unread {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.state-not-read/", $slug),
            &[
                "runtime.create.makes-container",
                "runtime.start.runs-program",
                "runtime.delete.removes-created-resources",
            ],
            &[Fault::Fail(kind::$kind.during), Fault::DropLast(concat!("/hooks/", $member))],
            |lab, out| unread(&kind::$kind, lab, out),
        )
    };
}
pub(super) const UNREAD: &[Scenario] = for_each_kind!(unread);

/// A hook need not read: neither the first, which could, nor the second, which comes all the same. A state that fits into the
/// pipe, for some leave the annotations out, is written before the hook ends, so that each time is like the other.
fn unread(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let late = format!("delay={}", scaled(Duration::from_millis(300)).as_millis());
    let lifecycle = Lifecycle::of(lab, |r| {
        r.set("/annotations", long_annotation());
        r.hook(kind.member, "deaf", &["no-stdin", &late]).hook(kind.member, "next", &[])
    })?;
    out.expect_eq("the hooks that ran", names(&lifecycle.after_delete), ["deaf", "next"]);
    Ok(())
}

pub(super) const OTHERS: &[Scenario] = &[
    Scenario::new(
        "hooks.state/longer-than-a-pipe",
        &["config.hooks.state-on-stdin"],
        &[Fault::Drop("/annotations"), Fault::Push("/hooks/startContainer/0/args", "\"no-stdin\"")],
        long,
    ),
    Scenario::new(
        "hooks.state-version/all",
        &["runtime.state.oci-version-meaning"],
        &[Fault::Push("/hooks/createRuntime/0/args", r#""false-state=/ociVersion=\"1.0\"""#)],
        version,
    ),
];

const BOTH: [Kind; 2] = [kind::CREATE_RUNTIME, kind::START_CONTAINER];

fn long(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let annotations = long_annotation();
    let lifecycle = Lifecycle::of(lab, |r| {
        BOTH.iter().fold(r.set("/annotations", &annotations), |r, kind| r.hook(kind.member, kind.member, &[]))
    })?;
    for kind in &BOTH {
        let state = read(lifecycle.record(kind.member)?)?;
        let whole = state["annotations"]["org.plimsoll.long"] == annotations["org.plimsoll.long"];
        let length = state["annotations"].to_string().len();
        out.expect(&format!("annotations of {}", kind.member), whole, "all 200 kB as given", length);
    }
    Ok(())
}

/// A released version, in full: the state follows a release of the specification.
fn version(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| BOTH.iter().fold(r, |r, kind| r.hook(kind.member, kind.member, &[])))?;
    for kind in &BOTH {
        let state = read(lifecycle.record(kind.member)?)?;
        let version = state["ociVersion"].as_str().unwrap_or("");
        let core = version.split(['-', '+']).next().unwrap_or("");
        let whole = core.split('.').filter(|part| part.parse::<u32>().is_ok()).count() == 3;
        out.expect(&format!("version in the state of {}", kind.member), whole, "of the form 1.2.3", version);
    }
    Ok(())
}
