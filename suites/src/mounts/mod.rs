//! Mounts (`config.md#mounts`), option by option.

mod bind;
mod dangling;
mod destination;
mod effect;
pub(crate) mod entry;
mod escape;
mod filesystem;
mod flags;
mod idmap;
mod links;
mod many;
mod options;
mod propagation;
mod recursive;
mod refusal;
mod remount;
mod root_mode;
mod source;
mod special;
mod tree;
mod unlisted;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[
    bind::SOURCES,
    bind::TYPES,
    bind::DEPTH,
    remount::CGROUPS,
    remount::REMOUNTS,
    effect::PLAIN,
    effect::RECURSIVE,
    filesystem::TYPES,
    filesystem::OPTIONS,
    filesystem::MODES,
    flags::SETTING,
    flags::CLEARING,
    flags::ON_BIND,
    flags::ON_CGROUPS,
    idmap::CASES,
    destination::MEMBERS,
    destination::ORDERS,
    destination::PLACES,
    destination::READ_ONLY_ROOT,
    propagation::CASES,
    recursive::SETTING,
    recursive::CLEARING,
    recursive::ORDER,
    root_mode::CASES,
    unlisted::CASES,
];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    bind::SCENARIOS,
    remount::SCENARIOS,
    dangling::SCENARIOS,
    escape::SCENARIOS,
    idmap::SCENARIOS,
    links::SCENARIOS,
    many::SCENARIOS,
    propagation::SCENARIOS,
    recursive::SCENARIOS,
    refusal::SCENARIOS,
    source::SCENARIOS,
    special::SCENARIOS,
];
