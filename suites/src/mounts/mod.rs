//! Mounts (`config.md#mounts`), option by option.

mod effect;
mod entry;
mod flags;
mod propagation;
mod recursive;
mod tree;
mod words;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[
    flags::SETTING,
    flags::CLEARING,
    flags::ON_BIND,
    recursive::SETTING,
    recursive::CLEARING,
    recursive::ORDER,
    propagation::CASES,
    effect::PLAIN,
    effect::RECURSIVE,
];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[propagation::SCENARIOS, recursive::SCENARIOS];
