//! What a proof says: fates of mutants, counts, exit code.

use std::collections::BTreeSet;

use plimsoll_reports::baseline;
use plimsoll_reports::model::proof::{Explanation, Outcome, Proof};

use crate::sample::proof::proof;

/// The proof without what is wrong with it.
fn sound() -> Proof {
    let mut proof = proof();
    proof.pairs.retain(|pair| pair.outcome == Outcome::Killed);
    proof.fairness.clear();
    proof.vacuous.clear();
    proof
}

#[test]
fn the_fate_of_a_mutant_is_its_best_outcome() {
    let proof = proof();
    let fates = proof.fates();
    assert_eq!(fates["config.drop:/linux/maskedPaths"], Outcome::Killed);
    assert_eq!(fates["config.drop:/process/env"], Outcome::Survived);
    assert_eq!(fates["config.drop:/linux/timeOffsets"], Outcome::NotApplicable);
    assert_eq!(fates["kill:none"], Outcome::Error);
}

#[test]
fn each_is_counted_once() {
    let totals = proof().counted();
    assert_eq!(totals.mutants.into_values().collect::<Vec<_>>(), [2, 0, 2, 1, 1]);
    assert_eq!(totals.pairs.into_values().collect::<Vec<_>>(), [2, 1, 2, 1, 1]);
    assert_eq!((totals.proven, totals.vacuous, totals.unsound), (2, 1, 1));
    assert_eq!((totals.unexplained, totals.differences), (1, 1));
}

#[test]
fn the_exit_code_tells_a_hole_from_an_explained_one() {
    assert_eq!(sound().exit_code(), 0);
    let mut proof = proof();
    proof.pairs.retain(|pair| pair.outcome != Outcome::Error);
    assert_eq!(proof.exit_code(), 1);
    proof.explanations.push(Explanation { mutant: "config.drop:/process/env".to_owned(), reason: "known".to_owned() });
    assert_eq!(proof.exit_code(), 1, "a changed verdict is red");
    proof.fairness.clear();
    assert_eq!(proof.exit_code(), 1, "a check that kills nothing is red");
    proof.vacuous.clear();
    assert_eq!(proof.exit_code(), 0);
}

#[test]
fn what_shows_nothing_is_no_success() {
    assert_eq!(Proof { cut_short: Some("interrupted".to_owned()), ..sound() }.exit_code(), 2);
    assert_eq!(Proof { pairs: vec![], ..sound() }.exit_code(), 3);
}

#[test]
fn a_list_tells_what_was_lost_what_is_untried_and_what_is_new() {
    let before = BTreeSet::from(["config.drop:/process/env", "config.drop:/root"].map(str::to_owned));
    let difference = baseline::compare(&before, &proof());
    assert_eq!(difference.lost, ["config.drop:/process/env"], "it survives now");
    assert_eq!(difference.untried, ["config.drop:/root"]);
    let listed = baseline::render(&proof());
    assert_eq!(difference.new, listed.lines().collect::<Vec<_>>(), "whatever is killed now was not in the list");
}

#[test]
fn a_proof_is_held_to_its_own_list() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("killed.txt");
    std::fs::write(&list, baseline::render(&proof())).unwrap();
    let before = baseline::read(&list).unwrap();
    assert!(before.contains("config.drop:/linux/maskedPaths"));
    assert_eq!(baseline::compare(&before, &proof()), baseline::Difference::default());
    std::fs::write(&list, "{}").unwrap();
    assert!(baseline::read(&list).unwrap_err().contains("--format killed=FILE"));
}
