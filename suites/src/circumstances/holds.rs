//! Which cases hold under a circumstance: those that neither set what it sets, nor look at what it changes.

use plimsoll_engine::batch;
use plimsoll_engine::check::{Body, Case, Check};
use plimsoll_engine::circumstance::{Circumstance, Program};
use plimsoll_engine::need::Need;
use plimsoll_fixtures::{Edit, Recipe};

use crate::fuzz::bundle::conflict::clash;
use crate::fuzz::bundle::rules::{alone, is_in, touches};

/// Whether a check holds under a circumstance.
pub fn holds(check: &Check, circumstance: &Circumstance) -> bool {
    let Body::Case(case) = check.body else { return false };
    let edits = batch::recipe(case).edits;
    let mut base = Recipe::default();
    (circumstance.edits)(&mut base);
    let is_raw = edits.iter().any(|edit| matches!(edit, Edit::Raw(_)));
    !is_raw
        && !clash(&edits, &base.edits)
        && !touches(&base.edits, &alone(case.rule.id))
        && !touches(&edits, circumstance.members)
        && !is_in(circumstance.rules, case.rule.id)
        && (circumstance.program == Program::First || is_about_a_process(case, &edits))
}

/// Whether a case is about a process alone, and is judged from inside alone: that is all that is known of a program that was added.
fn is_about_a_process(case: &Case, edits: &[Edit]) -> bool {
    let of_process = |edit: &Edit| match edit {
        Edit::Set(at, _) | Edit::Push(at, _) | Edit::Remove(at) => at.starts_with("/process/"),
        other => other.path().is_some(),
    };
    let is_seen = case.rule.needs.iter().chain(case.needs).any(|need| *need == Need::HostView);
    case.rule.id.starts_with("process.") && !is_seen && case.rule.knobs.is_empty() && edits.iter().all(of_process)
}
