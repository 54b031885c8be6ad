//! The process (`config.md#process`, `config.md#posix-process`, `config.md#linux-process`, `config.md#user`), and the
//! programs that `exec` adds to a container.

mod apparmor;
mod args;
pub(crate) mod capabilities;
mod capability_effects;
mod capability_table;
mod cwd;
mod draft;
pub(crate) mod env;
mod exec;
mod foreground;
mod identity;
mod inherited;
mod invalid;
mod keyring;
mod optional;
mod path_search;
pub(crate) mod privileges;
mod rlimits;
mod schedule;
pub(crate) mod selinux;
mod stdio;
mod terminal;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[
    args::CASES,
    capabilities::INSIDE_CASES,
    capabilities::HOST_CASES,
    capability_effects::SOME,
    capability_effects::NONE,
    capability_table::CASES,
    cwd::CASES,
    env::CASES,
    identity::CASES,
    optional::CASES,
    path_search::CASES,
    privileges::CASES,
    rlimits::RESOURCES,
    rlimits::OTHERS,
    schedule::CASES,
    schedule::IO_CASES,
    stdio::CASES,
    terminal::CASES,
];

pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    apparmor::SCENARIOS,
    capabilities::SCENARIOS,
    draft::SCENARIOS,
    exec::BY_RULES,
    exec::SCENARIOS,
    foreground::SCENARIOS,
    inherited::SCENARIOS,
    keyring::SCENARIOS,
    invalid::SCENARIOS,
    path_search::SCENARIOS,
    rlimits::SCENARIOS,
    selinux::SCENARIOS,
    schedule::SCENARIOS,
    stdio::SCENARIOS,
];
