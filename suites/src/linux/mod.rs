//! Linux-specific configuration (`config-linux.md`).

mod hidden_paths;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[hidden_paths::CASES];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[];
