//! Bundle, root, names, annotations and validity of `config.json` (`bundle.md`, `config.md`).

use plimsoll_engine::check::{Case, Scenario};

pub(crate) const CASES: &[&[Case]] = &[];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[];
