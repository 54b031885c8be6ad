//! The suite: the clauses of the specification ([`clauses`]) and the checks that cite them, one module per section of the specification.

pub mod circumstances;
pub mod clauses;
pub mod coverage;
pub mod fuzz;

mod compat;
mod config;
mod features;
mod hooks;
mod lifecycle;
mod linux;
pub mod model;
mod mounts;
pub mod mutants;
mod namespaces;
pub mod practice;
mod process;
mod refusal;
pub mod renamed;
mod resources;
mod seccomp;

use std::sync::Arc;

use plimsoll_engine::check::{BaseClauses, Body, Case, Check, Scenario};
use plimsoll_engine::circumstance::PLAIN;

/// Every case of the suite, section by section, file by file.
const CASES: &[&[&[Case]]] =
    &[config::CASES, linux::CASES, mounts::CASES, namespaces::CASES, process::CASES, resources::CASES, seccomp::CASES];

/// Every scenario of the suite, section by section, file by file.
const SCENARIOS: &[&[&[Scenario]]] = &[
    compat::SCENARIOS,
    config::SCENARIOS,
    features::SCENARIOS,
    hooks::SCENARIOS,
    lifecycle::SCENARIOS,
    linux::SCENARIOS,
    mounts::SCENARIOS,
    namespaces::SCENARIOS,
    process::SCENARIOS,
    resources::SCENARIOS,
    seccomp::SCENARIOS,
];

/// The id of the check that every other one rests on: the simplest container, through its whole life.
pub const SIMPLEST: &str = "lifecycle.simplest-container";

/// Every check, sorted by id, with the cited clauses in full.
///
/// # Panics
/// When a check cites a clause that is not in the list; a test keeps that from happening.
#[must_use]
pub fn all() -> Vec<Check> {
    let (clauses, practice) = (clauses::all(), practice::all());
    let base_clauses = Arc::new(base_clauses(&clauses));
    let check = |id: String, cites: &[&str], body| {
        let cite = |clause: &&str| clauses::find(&clauses, clause).unwrap_or_else(|| panic!("{id} cites {clause}"));
        let relied_on = practice.iter().filter(|record| record.covers(&id)).map(practice::Record::clause);
        let clauses = cites.iter().map(cite).chain(relied_on).map(Arc::new).collect();
        Check { id, clauses, base_clauses: Arc::clone(&base_clauses), body, under: &PLAIN }
    };
    let cases = CASES.iter().copied().flatten().copied().flatten();
    let cases = cases.map(|case| check(format!("{}/{}", case.rule.id, case.name), case.rule.cites, Body::Case(case)));
    let scenarios = SCENARIOS.iter().copied().flatten().copied().flatten();
    let scenarios = scenarios.map(|told| check(told.id.to_owned(), told.cites, Body::Scenario(told)));
    let mut checks: Vec<Check> = cases.chain(scenarios).collect();
    checks.sort_by(|a, b| a.id.cmp(&b.id));
    checks
}

fn base_clauses(clauses: &[clauses::Record]) -> BaseClauses {
    let find = |id| Arc::new(clauses::find(clauses, id).unwrap_or_else(|| panic!("no clause {id}")));
    BaseClauses {
        created: find("runtime.create.makes-container"),
        started: find("runtime.start.runs-program"),
        removed: find("runtime.delete.removes-created-resources"),
        undone: find("runtime.errors.no-side-effects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_well_formed() {
        let ids: Vec<String> = all().into_iter().map(|check| check.id).collect();
        for pair in ids.windows(2) {
            assert_ne!(pair[0], pair[1]);
        }
        for id in &ids {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-./".contains(c);
            assert!(id.contains('.') && id.chars().all(plain), "{id}");
        }
    }

    #[test]
    fn every_check_names_a_wrong_runtime_that_it_catches() {
        let silent: Vec<String> = all().into_iter().filter(|check| check.proves().is_empty()).map(|c| c.id).collect();
        assert!(silent.is_empty(), "{silent:?}");
    }

    #[test]
    fn every_rule_has_a_case_and_every_check_cites() {
        assert!(all().iter().all(|check| !check.clauses.is_empty()));
    }
}
