//! Invalid lists of namespaces.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use serde_json::json;

use super::{LIST, usual_user};

/// A path that leads to a namespace of another type: the type and that other one.
macro_rules! another_type {
    ($($kind:literal, $name:literal, $other:literal;)*) => {
        &[$(Scenario::new(
            concat!("namespaces.path-of-another-type/", $kind),
            &["linux.namespaces.path-type-mismatch-error"],
            &[Fault::Drop("/linux/namespaces/3/path")],
            |lab, out| another_type(lab, out, $kind, $other),
        ).needs(&[Need::HostView, Need::Namespace($name)])),*]
    };
}

pub(super) const OTHER_TYPES: &[Scenario] = another_type! {
    "pid", "pid", "uts";
    "mount", "mnt", "uts";
    "ipc", "ipc", "network";
    "uts", "uts", "ipc";
    "network", "net", "ipc";
};

fn another_type(lab: &Lab<'_>, out: &mut Judgement, kind: &str, other: &str) -> StepResult {
    let holder = lab.hold_namespace(other)?;
    // `ipc` makes room for `network` in the list, so that the entry in question is always the fourth.
    let room = if kind == "network" { "ipc" } else { kind };
    let path = holder.path(other);
    lab.refuses(out, |r| r.inherit_namespace(room).new_namespace(kind), |r| r.set("/linux/namespaces/3/path", path))
}

/// A type that is listed twice.
macro_rules! twice {
    ($($kind:literal, $name:literal, $good:expr;)*) => {
        &[$(Scenario::new(
            concat!("namespaces.listed-twice/", $kind),
            &["linux.namespaces.duplicate-type-error"],
            &[Fault::DropLast(LIST)],
            |lab, out| lab.refuses(out, $good, |r| r.new_namespace($kind)),
        ).needs(&[Need::Namespace($name)])),*]
    };
}

pub(super) const TWICE: &[Scenario] = twice! {
    "pid", "pid", |r| r;
    "mount", "mnt", |r| r;
    "ipc", "ipc", |r| r;
    "uts", "uts", |r| r;
    "network", "net", |r| r.new_namespace("network");
    "cgroup", "cgroup", |r| r.new_namespace("cgroup");
    "user", "user", usual_user;
};

const TWICE_WITH_PATH: Scenario = Scenario::new(
    "namespaces.listed-twice/new-and-joined",
    &["linux.namespaces.duplicate-type-error"],
    &[Fault::DropLast(LIST)],
    |lab, out| {
        let holder = lab.hold_namespace("uts")?;
        lab.refuses(out, |r| r, |r| r.push(LIST, json!({ "type": "uts", "path": holder.path("uts") })))
    },
);

/// An entry that is wrong in itself, put in the place of a good one.
macro_rules! wrong {
    ($($id:literal, $cites:expr, $entry:expr, $faults:expr;)*) => {
        &[$(Scenario::new(
            concat!("namespaces.", $id),
            $cites,
            $faults,
            |lab, out| lab.refuses(out, |r| r.new_namespace("network"), |r| r.set("/linux/namespaces/4", $entry)),
        )),*]
    };
}

const WITHOUT_PATH: &[Fault] = &[Fault::Drop("/linux/namespaces/4/path")];
const WITHOUT_ENTRY: &[Fault] = &[Fault::DropLast(LIST)];
const NOT_THAT_TYPE: &[&str] = &["linux.namespaces.path-type-mismatch-error"];

pub(super) const WRONG: &[Scenario] = wrong! {
    "path-of-no-namespace/missing", NOT_THAT_TYPE, json!({ "type": "network", "path": "{bundle}/none" }), WITHOUT_PATH;
    "path-of-no-namespace/file", NOT_THAT_TYPE, json!({ "type": "network", "path": "{probe}" }), WITHOUT_PATH;
    "path-of-no-namespace/directory", NOT_THAT_TYPE, json!({ "type": "network", "path": "{bundle}" }), WITHOUT_PATH;
    "unknown-type", &["config.values.invalid-error"], json!({ "type": "plimsoll" }), WITHOUT_ENTRY;
    "no-type", &["linux.namespaces.type-required", "config.values.invalid-error"], json!({}), WITHOUT_ENTRY;
};

/// The path is our own network namespace, from the root directory.
const RELATIVE: Scenario = Scenario::new(
    "namespaces.relative-path",
    &["linux.namespaces.path-absolute", "config.values.invalid-error"],
    WITHOUT_PATH,
    |lab, out| {
        let path = "../../../../../../../../../../proc/self/ns/net";
        let bad = json!({ "type": "network", "path": path });
        lab.refuses(out, |r| r.new_namespace("network"), |r| r.set("/linux/namespaces/4", bad))
    },
);

pub(super) const SCENARIOS: &[Scenario] = &[TWICE_WITH_PATH, RELATIVE];
