//! What a proof says: fates of mutants, counts, exit code.

use plimsoll_reports::model::proof::{Explanation, Outcome, Proof};

use crate::sample::proof::proof;

/// The proof without what is wrong with it.
fn sound() -> Proof {
    let mut proof = proof();
    proof.pairs.retain(|pair| pair.outcome == Outcome::Killed);
    proof.fairness.clear();
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
    assert_eq!(proof.exit_code(), 0);
}

#[test]
fn what_shows_nothing_is_no_success() {
    assert_eq!(Proof { cut_short: Some("interrupted".to_owned()), ..sound() }.exit_code(), 2);
    assert_eq!(Proof { pairs: vec![], ..sound() }.exit_code(), 3);
}
