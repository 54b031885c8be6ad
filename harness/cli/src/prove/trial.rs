//! Sets checks against mutants.

use plimsoll_engine::check::Check;
use plimsoll_engine::schedule::Job;
use plimsoll_reports::model::proof::{Outcome, Pair};
use plimsoll_reports::model::{self, Verdict};
use plimsoll_suites::mutants::Mutant;

use super::Results;
use crate::failure::Failure;

/// How many of the checks that only happen to show a mutant are set against it, one after another, before it counts as
/// survived.
const ROUNDS: usize = 12;

/// Sets each declared check against its mutant, and others against a mutant until one of them kills it. `run` carries
/// jobs out.
pub fn pairs(
    mutants: &[Mutant<'_>],
    mut run: impl FnMut(Vec<Job<'_>>) -> Result<Results, Failure>,
) -> Result<Vec<Pair>, Failure> {
    let mut found = Vec::new();
    for round in 0..=ROUNDS {
        let open = mutants.iter().filter(|mutant| !is_killed(mutant, &found));
        let next: Vec<_> = open.flat_map(|mutant| in_round(mutant, round).map(move |check| (mutant, check))).collect();
        if next.is_empty() {
            break;
        }
        found.extend(set_against(&next, &mut run)?);
    }
    found.sort_by(|a, b| (&a.mutant, &a.check).cmp(&(&b.mutant, &b.check)));
    Ok(found)
}

/// First all that declare a mutant, then one at a time of those that only show it; where nobody declares it, these begin.
fn in_round<'c>(mutant: &Mutant<'c>, round: usize) -> impl Iterator<Item = &'c Check> {
    let declared = if round == 0 { mutant.declared_by.as_slice() } else { &[] };
    let turn = if mutant.declared_by.is_empty() { Some(round) } else { round.checked_sub(1) };
    declared.iter().copied().chain(turn.and_then(|turn| mutant.shown_by.get(turn).copied()))
}

fn is_killed(mutant: &Mutant<'_>, pairs: &[Pair]) -> bool {
    let id = mutant.fault.to_string();
    pairs.iter().any(|pair| pair.mutant == id && pair.outcome == Outcome::Killed)
}

fn set_against<'c>(
    trials: &[(&Mutant<'c>, &'c Check)],
    run: &mut impl FnMut(Vec<Job<'_>>) -> Result<Results, Failure>,
) -> Result<Vec<Pair>, Failure> {
    let results = run(trials.iter().map(|(mutant, check)| Job::posed(check, mutant.fault)).collect())?;
    Ok(results.into_iter().map(|(number, result)| pair(trials[number].0, result)).collect())
}

fn pair(mutant: &Mutant<'_>, result: model::Check) -> Pair {
    let outcome = match result.verdict {
        Verdict::Fail | Verdict::Warn | Verdict::Timeout => Outcome::Killed,
        Verdict::Pass => Outcome::Survived,
        Verdict::Skip => Outcome::NotApplicable,
        Verdict::Error => Outcome::Error,
    };
    Pair {
        by: if outcome == Outcome::Killed { vec![result.id.clone()] } else { Vec::new() },
        check: result.id,
        mutant: mutant.fault.to_string(),
        outcome,
        verdict: Some(result.verdict),
        reason: result.reason,
    }
}
