//! Bundle, root, names, annotations and validity of `config.json` (`bundle.md`, `config.md`).

mod author;
mod json;
mod names;
mod numbers;
mod optional;
mod required;
mod root;
mod unknown;
mod values;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] =
    &[names::CASES, optional::CASES, optional::NO_MOUNTS, root::CASES, unknown::CASES, unknown::OTHER_CASES];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    author::ADVISORY,
    author::DEVICES,
    author::IO_PRIORITIES,
    author::PROCESS,
    author::RULES,
    author::SCHEDULERS,
    json::SCENARIOS,
    json::MALFORMED,
    json::DIALECTS,
    json::DUBIOUS,
    names::SCENARIOS,
    numbers::SCENARIOS,
    optional::SCENARIOS,
    required::SCENARIOS,
    required::VERSIONS,
    values::PROCESS,
    values::OTHERS,
];
