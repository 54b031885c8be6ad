//! `features`: what the runtime says about itself (`features.md`, `features-linux.md`), compared with what it does.

mod claims;
mod document;
mod kernel;
mod mount_options;
mod types;
mod unlisted;
mod values;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::{Op, Values};
use serde_json::Value;

pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    claims::REST,
    claims::SCENARIOS,
    document::SCENARIOS,
    mount_options::SCENARIOS,
    types::SCENARIOS,
    unlisted::SCENARIOS,
    values::CAPABILITIES,
    values::OPTIONS,
    values::SCENARIOS,
];

/// What the runtime says of itself. It need not say anything: a runtime without the operation is not asked further.
fn document(lab: &Lab<'_>) -> StepResult<Value> {
    let outcome = lab.call(Op::Features, &Values::default())?;
    if !outcome.succeeded() {
        return Err(Stop::Skip("the runtime has no operation features, which is optional".into()));
    }
    match serde_json::from_str(&outcome.stdout) {
        Ok(document @ Value::Object(_)) => Ok(document),
        Ok(_) | Err(_) => Err(Stop::broken("the output of features", "a JSON object", outcome.stdout)),
    }
}

/// A part of it. What is absent or null is not said.
fn said<'d>(document: &'d Value, pointer: &str) -> StepResult<&'d Value> {
    let found = document.pointer(pointer).filter(|value| !value.is_null());
    found.ok_or_else(|| Stop::Skip(format!("features of this runtime do not have {pointer}, which is optional")))
}
