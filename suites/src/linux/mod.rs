//! Linux-specific configuration (`config-linux.md`).

mod default_filesystems;
mod hidden_paths;
mod propagation;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[default_filesystems::CASES, hidden_paths::CASES, propagation::CASES];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[propagation::SCENARIOS];
