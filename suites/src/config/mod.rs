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
    &[names::CASES, optional::CASES, optional::ADVISORY, root::CASES, unknown::CASES, unknown::OTHER_CASES];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    author::RULES,
    json::SCENARIOS,
    json::MALFORMED,
    json::DIALECTS,
    json::DUBIOUS,
    names::SCENARIOS,
    numbers::SCENARIOS,
    optional::SCENARIOS,
    required::SCENARIOS,
    required::ADVISORY,
    values::PROCESS,
    values::OTHERS,
];
