//! Which checks cite a clause, and why some clauses have none (`data/unchecked.jsonl`).

use std::collections::BTreeMap;

use plimsoll_reports::coverage::{Coverage, Covered};
use serde::Deserialize;

use crate::clauses;

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
    for check in crate::all() {
        check.cites().iter().for_each(|clause| citing.entry(clause).or_default().push(check.id.clone()));
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
    Coverage { release: clauses::RELEASE.to_owned(), clauses: covered.collect() }
}

fn reasons() -> BTreeMap<String, String> {
    let line = |line| -> Unchecked { serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")) };
    UNCHECKED.lines().map(line).map(|unchecked| (unchecked.clause, unchecked.why)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_for_a_clause_that_nothing_checks() {
        let coverage = coverage();
        for id in reasons().keys() {
            let clause = coverage.clauses.iter().find(|clause| clause.clause.id == *id);
            assert!(clause.is_some_and(|clause| clause.is_due() && clause.checks.is_empty()), "{id}");
        }
    }

    #[test]
    fn every_clause_that_a_runtime_has_to_keep_is_checked_or_has_a_reason() {
        let coverage = coverage();
        let open = coverage.clauses.iter().filter(|covered| covered.is_open());
        let open: Vec<&str> = open.map(|covered| covered.clause.id.as_str()).collect();
        assert_eq!(open, Vec::<&str>::new());
    }
}
