//! Mounts (`config.md#mounts`), option by option.

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[];
