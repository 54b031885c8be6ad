//! Which hooks a runtime accepts, and which it refuses.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use serde_json::json;

use super::kind::{self, IT, Kind, Lifecycle};

macro_rules! relative_path {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.relative-path/", $slug),
            &["config.hooks.entry.path-absolute", "config.values.invalid-error"],
            &[Fault::Drop(concat!("/hooks/", $member)), Fault::Succeed(Op::Create)],
            |lab, out| relative_path(&kind::$kind, lab, out),
        )
    };
}

pub(super) const RELATIVE_PATH: &[Scenario] = for_each_kind!(relative_path);

/// A path that would lead to a program from the bundle, or from the container's root, is not taken all the same.
fn relative_path(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let path = if kind.in_rootfs { "probe" } else { "rootfs/probe" };
    refused(lab, out, |r| r.hook(kind.member, IT, &[]).set(&kind.pointer("/0/path"), path))
}

/// Create refuses; or, where the hook is only looked at when its time comes, start or delete does. It never runs.
fn refused(lab: &Lab<'_>, out: &mut Judgement, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult {
    let bundle = lab.bundle(edits)?;
    let attempt = lab.try_create(&bundle)?;
    let mut errors = vec![!attempt.outcome.succeeded()];
    if attempt.outcome.succeeded() {
        let container = attempt.container()?;
        errors.push(!container.start()?.succeeded());
        errors.push(!container.delete_by_force()?.succeeded());
    }
    out.expect("create, start or delete", errors.contains(&true), "an error", &errors);
    out.expect_eq("hooks that ran", kind::names(&bundle.hook_log()?), [""; 0]);
    Ok(())
}

/// One bad entry of createRuntime. A timeout that is over at once is refused too, when the hook gets to do nothing:
/// those hooks take their time.
macro_rules! bad {
    ($name:literal, $cites:expr, $faults:expr, $edits:expr) => {
        Scenario::new(concat!("hooks.invalid/", $name), $cites, $faults, |lab, out| refused(lab, out, $edits))
    };
}

const TIMEOUT: &str = "/hooks/createRuntime/0/timeout";
const TIMEOUT_CLAUSES: &[&str] = &["config.hooks.entry.timeout-positive", "config.values.invalid-error"];

pub(super) const REFUSED: &[Scenario] = &[
    bad!(
        "no-path",
        &["config.hooks.entry.path-required", "config.values.invalid-error"],
        &[Fault::Drop("/hooks")],
        |r| r.hook("createRuntime", IT, &[]).remove("/hooks/createRuntime/0/path")
    ),
    bad!("timeout-zero", TIMEOUT_CLAUSES, &[Fault::Drop(TIMEOUT)], |r| r
        .hook("createRuntime", IT, &["delay=100"])
        .set(TIMEOUT, 0)),
    bad!("timeout-negative", TIMEOUT_CLAUSES, &[Fault::Drop(TIMEOUT)], |r| r
        .hook("createRuntime", IT, &["delay=100"])
        .set(TIMEOUT, -1)),
];

/// A container that runs as if it had no hooks.
macro_rules! accepted {
    ($name:literal, $cites:expr, $faults:expr, $edits:expr) => {
        Scenario::new(concat!("hooks.valid/", $name), $cites, $faults, |lab, out| {
            let lifecycle = Lifecycle::of(lab, $edits)?;
            out.expect_eq("the hooks that ran", kind::names(&lifecycle.after_delete), [""; 0]);
            Ok(())
        })
    };
}

pub(super) const ACCEPTED: &[Scenario] = &[
    accepted!(
        "no-hooks",
        &[
            "config.hooks.any-subset",
            "config.hooks.optional-members",
            "config.hooks.optional-members-since-1-0-2",
            "runtime.create.makes-container",
        ],
        &[Fault::Fail(Op::Create), Fault::Fail(Op::Start), Fault::Fail(Op::Delete)],
        |r| r.set("/hooks", json!({}))
    ),
    accepted!(
        "empty-lists",
        &["config.hooks.any-subset", "runtime.create.makes-container"],
        &[Fault::Fail(Op::Create), Fault::Fail(Op::Start), Fault::Fail(Op::Delete)],
        |r| {
            r.set("/hooks", json!({
            "prestart": [], "createRuntime": [], "createContainer": [], "startContainer": [], "poststart": [], "poststop": []
        }))
        }
    ),
    accepted!(
        "unknown-kind",
        &["config.unknown-properties.ignored", "config.unknown-properties.no-error"],
        &[Fault::Fail(Op::Create), Fault::Move("/hooks/preCreate", "/hooks/createRuntime")],
        |r| r.hook("preCreate", IT, &[])
    ),
    accepted!(
        "unknown-kind-of-another-shape",
        &["config.unknown-properties.ignored", "config.unknown-properties.no-error"],
        &[Fault::Fail(Op::Create)],
        |r| r.set("/hooks", json!({ "preCreate": { "path": 7 } }))
    ),
];
