//! Mounts (`config.md#mounts`), option by option.

mod entry;
mod flags;
mod words;

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[flags::SETTING, flags::CLEARING, flags::ON_BIND];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[];
