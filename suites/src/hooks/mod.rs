//! POSIX-platform hooks (`config.md#posix-platform-hooks`).

use plimsoll_engine::check::Scenario;

pub(crate) const SCENARIOS: &[&[Scenario]] = &[];
