//! POSIX-platform hooks (`config.md#posix-platform-hooks`): six kinds, one table of checks each.

#[macro_use]
mod kind;

mod descriptors;
mod entry;
mod environment;
mod failure;
mod namespaces;
mod oom_score;
mod order;
mod state;
mod steps;
mod timeout;
mod validity;

use plimsoll_engine::check::Scenario;

pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    descriptors::SCENARIOS,
    entry::ARGV,
    entry::ENV,
    entry::OTHERS,
    environment::SCENARIOS,
    failure::BY_EXIT,
    failure::BY_SIGNAL,
    failure::BY_MISSING_FILE,
    failure::DESTROYS,
    failure::POSTSTOP,
    &[failure::DRAFT],
    namespaces::EXECUTION,
    namespaces::PATH,
    namespaces::OTHER_ROOT,
    order::LISTED,
    order::BETWEEN,
    oom_score::SCENARIOS,
    state::DOCUMENT,
    state::PID,
    state::STATUS,
    state::UNTRUE,
    state::ANNOTATIONS,
    state::UNREAD,
    state::OTHERS,
    steps::INVOKED,
    steps::OTHERS,
    timeout::SCENARIOS,
    validity::RELATIVE_PATH,
    validity::REFUSED,
    validity::ACCEPTED,
];
