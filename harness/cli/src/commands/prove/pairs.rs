//! Runs checks against mutants.

use plimsoll_engine::check::Check;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::schedule::Job;
use plimsoll_reports::model::proof::{Outcome, Pair};
use plimsoll_reports::model::{self, Verdict};
use plimsoll_suites::mutants::Mutant;

use super::Results;
use crate::shared::failure::Failure;

/// How many of the checks that only happen to show a mutant are set against it, one after another, before it counts as
/// survived.
const ROUNDS: usize = 12;

/// The declared mutants of the checks that wait. They are tried before it is known whether the check passes without them: else
/// the shortest timeout that there is would be waited for twice.
pub fn early<'c>(checks: &[&'c Check]) -> Vec<Job<'c>> {
    let patient = checks.iter().filter(|check| check.waits());
    patient.flat_map(|check| check.proves().iter().map(|fault| Job::with_fault(check, *fault))).collect()
}

/// Sets each declared check against its mutant, and others against a mutant until one of them kills it. What was tried
/// early is not tried again. `run` carries jobs out.
pub fn pairs(
    mutants: &[Mutant<'_>],
    early: Vec<Pair>,
    mut run: impl FnMut(Vec<Job<'_>>) -> Result<Results, Failure>,
) -> Result<Vec<Pair>, Failure> {
    let mut found = early;
    for round in 0..=ROUNDS {
        let open = mutants.iter().filter(|mutant| round == 0 || !is_killed(mutant, &found));
        let trials =
            open.flat_map(|mutant| in_round(mutant, round).map(move |check| Job::with_fault(check, mutant.fault)));
        let next: Vec<Job<'_>> = trials.filter(|trial| !is_tried(trial, &found)).collect();
        if next.is_empty() {
            break;
        }
        found.extend(outcomes(&next, run(next.clone())?));
    }
    found.sort_by(|a, b| (&a.mutant, &a.check).cmp(&(&b.mutant, &b.check)));
    Ok(found)
}

/// The outcomes of jobs with faults.
pub fn outcomes(jobs: &[Job<'_>], results: Results) -> Vec<Pair> {
    let posed = results.into_iter().filter_map(|(number, result)| Some((jobs.get(number)?.fault?, result)));
    posed.map(|(fault, result)| pair(fault, result)).collect()
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

fn is_tried(trial: &Job<'_>, pairs: &[Pair]) -> bool {
    let fault = trial.fault.map(|fault| fault.to_string());
    pairs.iter().any(|pair| Some(&pair.mutant) == fault.as_ref() && trial.checks.iter().any(|it| it.id == pair.check))
}

fn pair(fault: Fault, result: model::Check) -> Pair {
    let outcome = match result.verdict {
        Verdict::Fail | Verdict::Warn | Verdict::Timeout => Outcome::Killed,
        Verdict::Pass => Outcome::Survived,
        Verdict::Skip => Outcome::NotApplicable,
        Verdict::Error => Outcome::Error,
    };
    Pair {
        by: if outcome == Outcome::Killed { vec![result.id.clone()] } else { Vec::new() },
        check: result.id,
        mutant: fault.to_string(),
        outcome,
        verdict: Some(result.verdict),
        reason: result.reason,
    }
}
