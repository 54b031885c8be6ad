//! `linux.seccomp`: what becomes of a system call (`config-linux.md#seccomp`).

mod actions;
pub(crate) mod filter;
mod foreign;
mod handover;
mod invalid;
mod notify;
mod operators;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[
    actions::CASES,
    actions::DEFAULTS,
    actions::FLAGS,
    actions::ARCHITECTURES,
    actions::WITHOUT_NNP,
    operators::CASES,
    operators::SEVERAL,
];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    foreign::SCENARIOS,
    handover::SCENARIOS,
    invalid::EMPTY,
    invalid::DEFAULT_ERRNO,
    invalid::ERRNO,
    invalid::VALUES,
    notify::ADVISORY,
    notify::WITHOUT_PATH,
    notify::ANSWERS,
    notify::CONNECTIONS,
    notify::SENT,
    notify::UNREACHABLE,
];
