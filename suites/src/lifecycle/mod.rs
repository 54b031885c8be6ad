//! Operations and state (`runtime.md`): the life of a container, told as stories.

mod whole;

use plimsoll_engine::check::Scenario;

pub(crate) const SCENARIOS: &[&[Scenario]] = &[whole::SCENARIOS];
