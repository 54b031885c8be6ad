//! Which checks cite a clause, and why some clauses have none (`data/unchecked.jsonl`).

use std::collections::BTreeMap;

use plimsoll_reports::coverage::{Advised, Coverage, Covered};
use serde::Deserialize;

use crate::{clauses, practice};

/// The reasons, one JSON object a line, for review.
const UNCHECKED: &str = include_str!("../data/unchecked.jsonl");

/// A line of the reasons.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    clause: String,
    why: String,
}

/// Every clause with the checks that cite it, in the order of the specification.
///
/// # Panics
/// When data that was compiled in is malformed; tests keep that from happening.
#[must_use]
pub fn coverage() -> Coverage {
    let mut citing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut advisory = Vec::new();
    let checks = crate::all();
    for check in &checks {
        advisory.extend(check.advisory().map(|why| Advised { check: check.id.clone(), why: why.to_owned() }));
        check.cites().for_each(|clause| citing.entry(clause).or_default().push(check.id.clone()));
    }
    let mut reasons = reasons();
    let records = clauses::all();
    let covered = records.iter().filter_map(|record| {
        Some(Covered {
            clause: clauses::find(&records, &record.id)?,
            subject: record.subject.clone(),
            testable: record.testable.clone(),
            checks: citing.remove(record.id.as_str()).unwrap_or_default(),
            unchecked: reasons.remove(&record.id),
        })
    });
    let clauses = covered.collect();
    let relied_on = practice::all().into_iter().map(|record| Covered {
        clause: record.clause(),
        subject: "runtime".to_owned(),
        testable: "cli".to_owned(),
        checks: citing.remove(record.id.as_str()).unwrap_or_default(),
        unchecked: None,
    });
    let practice = relied_on.collect();
    Coverage { release: clauses::RELEASE.to_owned(), clauses, advisory, practice }
}

fn reasons() -> BTreeMap<String, String> {
    let line = |line| -> Unchecked { serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")) };
    UNCHECKED.lines().map(line).map(|unchecked| (unchecked.clause, unchecked.why)).collect()
}

#[cfg(test)]
mod tests {
    use plimsoll_engine::check::{Check, is_optional};
    use plimsoll_engine::release::Release;
    use plimsoll_reports::model::{Axis, Clause};

    use super::*;

    #[test]
    fn every_reason_is_for_a_clause_that_nothing_checks() {
        let coverage = coverage();
        for id in reasons().keys() {
            let clause = coverage.clauses.iter().find(|clause| clause.clause.id == *id);
            assert!(clause.is_some_and(|clause| clause.checks.is_empty()), "{id}");
        }
    }

    /// Whom each clause binds.
    fn subjects() -> BTreeMap<String, String> {
        clauses::all().into_iter().map(|record| (record.id, record.subject)).collect()
    }

    #[test]
    fn the_level_of_a_clause_decides_unless_a_reason_is_written_down() {
        let subjects = subjects();
        // A rule for the author of a configuration turns nothing red: the clause that binds the runtime does.
        let binds = |clause: &Clause| !is_optional(&clause.level) && subjects[&clause.id] == "runtime";
        let holds = |check: &Check| match check.advisory() {
            Some(why) => why.len() > 30 && !why.contains('\n'),
            None => {
                check.clauses.iter().all(|clause| is_optional(&clause.level))
                    || check.clauses.iter().any(|clause| binds(clause))
            }
        };
        let open = crate::all().into_iter().filter(|check| check.axis() == Axis::Spec && !holds(check));
        assert_eq!(open.map(|check| check.id).collect::<Vec<_>>(), Vec::<String>::new());
    }

    /// To a runtime of an earlier release, what the rule is about is an unknown member, to be ignored. No runtime is judged by
    /// less than 1.0.2 unless it says so.
    #[test]
    fn a_rule_for_the_author_binds_by_a_clause_that_is_as_new() {
        let subjects = subjects();
        let later = |clause: &Clause| {
            let rule = subjects[&clause.id] == "config author" && !is_optional(&clause.level);
            rule && clause.level != "DESCRIBED" && Release::parse(&clause.since) > Release::parse("1.0.2")
        };
        let early = |check: &Check| {
            let any_value = check.cites().any(|id| id == "config.values.invalid-error");
            any_value && check.clauses.iter().any(|clause| later(clause))
        };
        let early = crate::all().into_iter().filter(|check| check.advisory().is_none() && early(check));
        assert_eq!(early.map(|check| check.id).collect::<Vec<_>>(), Vec::<String>::new());
    }

    #[test]
    fn every_clause_that_a_runtime_has_to_keep_is_checked_or_has_a_reason() {
        let coverage = coverage();
        let open = coverage.clauses.iter().filter(|covered| covered.is_open());
        let open: Vec<&str> = open.map(|covered| covered.clause.id.as_str()).collect();
        assert_eq!(open, Vec::<&str>::new());
    }
}
