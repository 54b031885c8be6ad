//! Operations and state (`runtime.md`): the lifecycle of a container, as scenarios.

mod bundle;
mod created;
mod delete;
mod document;
mod edited;
mod ends;
mod failure;
mod files;
mod ids;
mod invalid_ids;
mod keeps;
mod kill;
pub(crate) mod schema;
mod simplest;
mod states;

use plimsoll_engine::check::Scenario;

pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    bundle::SCENARIOS,
    created::SCENARIOS,
    delete::SCENARIOS,
    keeps::OF_THE_USER,
    keeps::OTHERS,
    document::SCENARIOS,
    document::ANNOTATIONS,
    edited::SCENARIOS,
    edited::WITHOUT,
    ends::SCENARIOS,
    failure::SCENARIOS,
    failure::UNAPPLIABLE,
    failure::UNSET,
    files::SCENARIOS,
    ids::NONE,
    ids::UNKNOWN,
    ids::SCENARIOS,
    invalid_ids::SCENARIOS,
    kill::SIGNALS,
    kill::SCENARIOS,
    states::SCENARIOS,
    simplest::SCENARIOS,
];
