//! What callers of runtimes rely on where the specification is silent, in our own words (`data/practice.jsonl`): the command line of runc,
//! and behaviour that no document requires. These clauses have levels of their own.

use plimsoll_reports::model::Clause;
use serde::Deserialize;

/// The list, one JSON object a line.
const LIST: &str = include_str!("../data/practice.jsonl");

/// The level of what containerd's shim, conmon, Docker, podman or buildah do not work without. The others give warnings.
pub const ENGINES: &str = "engines break";
/// The level of what people and their scripts use.
pub const USERS: &str = "users rely";
/// The level of a difference that is not a mistake.
pub const DIFFERENCE: &str = "worth knowing";

/// A line of the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Stable id, `practice.…`.
    pub id: String,
    /// A page that describes it.
    pub source: String,
    /// [`ENGINES`], [`USERS`] or [`DIFFERENCE`].
    pub level: String,
    /// What it says.
    pub paraphrase: String,
    /// Who relies on it.
    pub relied_on_by: String,
    /// The checks of it: ids, or ids up to the slash.
    checks: Vec<String>,
}

impl Record {
    /// Whether a check is one of those.
    #[must_use]
    pub fn covers(&self, check: &str) -> bool {
        let subject = check.split('/').next().unwrap_or(check);
        self.checks.iter().any(|own| own == check || own == subject)
    }

    /// The clause as results cite it.
    #[must_use]
    pub fn clause(&self) -> Clause {
        Clause {
            id: self.id.clone(),
            level: self.level.clone(),
            text: format!("{} ({})", self.paraphrase, self.relied_on_by),
            link: self.source.clone(),
            since: "v1.0.0".to_owned(),
        }
    }
}

/// Every clause, in the order of the list.
///
/// # Panics
/// When the list that was compiled in is malformed; a test keeps that from happening.
#[must_use]
pub fn all() -> Vec<Record> {
    LIST.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use plimsoll_engine::check::is_optional;

    use super::*;

    #[test]
    fn each_clause_has_a_level_and_checks_that_there_are() {
        let checks = crate::all();
        for record in all() {
            assert!([ENGINES, USERS, DIFFERENCE].contains(&record.level.as_str()), "{}", record.id);
            assert_eq!(is_optional(&record.level), record.level != ENGINES, "{}", record.id);
            for own in &record.checks {
                let there = checks.iter().any(|check| check.id == *own || check.id.split('/').next() == Some(own));
                assert!(there, "{}: no check {own}", record.id);
            }
        }
    }

    #[test]
    fn no_check_that_fails_cites_that_nothing_is_prescribed() {
        let silent = |clause: &str| clause == "runtime.operations.cli-not-specified";
        let cites: Vec<String> =
            crate::all().into_iter().filter(|check| check.cites().any(silent)).map(|check| check.id).collect();
        assert_eq!(cites, Vec::<String>::new());
    }
}
