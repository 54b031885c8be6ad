//! Mounts (`config.md#mounts`), option by option.

mod bind;
mod effect;
mod entry;
mod filesystem;
mod flags;
mod propagation;
mod recursive;
mod refusal;
mod tree;
mod words;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[
    bind::SOURCES,
    bind::TYPES,
    bind::DEPTH,
    effect::PLAIN,
    effect::RECURSIVE,
    filesystem::TYPES,
    filesystem::OPTIONS,
    filesystem::MODES,
    flags::SETTING,
    flags::CLEARING,
    flags::ON_BIND,
    propagation::CASES,
    recursive::SETTING,
    recursive::CLEARING,
    recursive::ORDER,
];
pub(crate) const SCENARIOS: &[&[Scenario]] =
    &[bind::SCENARIOS, propagation::SCENARIOS, recursive::SCENARIOS, refusal::SCENARIOS];
