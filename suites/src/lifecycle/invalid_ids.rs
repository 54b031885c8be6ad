//! Unusual ids (`runtime.md#create`). Which ids are valid is up to the runtime: if it accepts such an id, it must make a container with
//! exactly that id; if it refuses it, it must make nothing; and it must never reach outside of its state directory.

use std::collections::BTreeSet;
use std::fs;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Op;
use serde_json::Value;

use crate::refusal::discard;

const CITES: &[&str] = &[
    "runtime.create.invalid-id-error",
    "runtime.create.rejected-id-no-container",
    "runtime.errors.no-side-effects",
    "runtime.state.id-present",
];

macro_rules! invalid {
    ($($id:literal, $name:expr;)*) => {
        &[$(Scenario::new($id, CITES, &[Fault::Succeed(Op::Create)], |lab, out| {
            let name: fn(&Lab<'_>) -> String = $name;
            create_as(lab, out, &name(lab))
        })),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = invalid! {
    "lifecycle.create/empty-id", |_| String::new();
    "lifecycle.create/id-is-dot", |_| ".".to_owned();
    "lifecycle.create/id-is-dot-dot", |_| "..".to_owned();
    "lifecycle.create/id-leads-outside", |lab| format!("../{}-outside", lab.tag);
    "lifecycle.create/id-leads-outside-from-within", |lab| format!("{0}-x/../../{0}-outside", lab.tag);
    "lifecycle.create/id-with-slash", |lab| format!("{}-a/b", lab.tag);
    "lifecycle.create/id-is-absolute-path", |lab| format!("{}/{}-absolute", lab.dir.display(), lab.tag);
    "lifecycle.create/id-of-4-kib", |lab| format!("{:x<4096}", lab.tag);
    "lifecycle.create/id-with-newline", |lab| format!("{}-a\nb", lab.tag);
};

fn create_as(lab: &Lab<'_>, out: &mut Judgement, id: &str) -> StepResult {
    let bundle = lab.bundle(|r| r)?;
    let (watch, before) = (lab.watch()?, outside(lab)?);
    let outcome = lab.try_create_from(&lab.dir, &bundle, |values| values.with("id", id))?.outcome;
    out.expect_eq("what is beside the state directory", outside(lab)?, before);
    if outcome.succeeded() {
        let state = lab.call_id(Op::State, id)?.stdout;
        let state: Value = serde_json::from_str(&state).unwrap_or_default();
        out.expect_eq("the id in the state of the container", state["id"].as_str(), Some(id));
        discard(lab, id)?;
    }
    out.expect_no_effect(&outcome, watch.differences("create")?);
    // It was the id, and nothing else, that was refused.
    let container = lab.create(&bundle)?;
    container.started()?;
    container.finish_and_delete()
}

/// What is in the directory of the check, but for what every create makes there.
fn outside(lab: &Lab<'_>) -> StepResult<BTreeSet<String>> {
    let entries = fs::read_dir(&lab.dir).map_err(Stop::error("list the directory of the check"))?;
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()));
    Ok(names.filter(|name| name != "state" && !name.ends_with(".pid")).collect())
}
