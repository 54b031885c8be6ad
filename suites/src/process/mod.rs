//! The process (`config.md#process`).

mod identity;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[identity::CASES];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[];
