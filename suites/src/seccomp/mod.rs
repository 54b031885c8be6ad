//! `linux.seccomp`: what becomes of a system call (`config-linux.md#seccomp`).

mod actions;
pub(crate) mod filter;
mod invalid;
mod operators;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] =
    &[actions::CASES, actions::DEFAULTS, actions::FLAGS, actions::ARCHITECTURES, operators::CASES, operators::SEVERAL];
pub(crate) const SCENARIOS: &[&[Scenario]] =
    &[invalid::ERRNO, invalid::DEFAULT_ERRNO, invalid::VALUES, invalid::ADVISORY];
