//! Runs the checks behind neutral variations of the runtime: no verdict may change.

use std::iter;

use plimsoll_engine::check::Check;
use plimsoll_engine::fault::{Fault, Neutral};
use plimsoll_engine::schedule::Job;
use plimsoll_reports::model::proof::{self, Difference};
use plimsoll_reports::model::{self, Verdict};

use super::Results;

/// With a sample, each neutral runtime is tried on one container in so many.
const SAMPLED: usize = 4;

/// The one that takes seconds for each call is tried on one container in so many, or a proof would take an hour.
const RARELY: usize = 32;

/// The batches as they are, and then behind each neutral runtime: all of them, or for each another sample.
pub fn jobs<'c>(batches: &[Vec<&'c Check>], sample: bool) -> Vec<Job<'c>> {
    let every = if sample { SAMPLED } else { 1 };
    let ways = iter::once((None, 1, 0));
    let neutral = |(at, neutral): (usize, Neutral)| {
        let every = if neutral == Neutral::Sluggish { every * RARELY } else { every };
        (Some(Fault::Neutral(neutral)), every, at % every)
    };
    ways.chain(Neutral::ALL.into_iter().enumerate().map(neutral))
        .flat_map(|(fault, every, from)| {
            let tried = batches.iter().skip(from).step_by(every);
            tried.map(move |checks| Job { checks: checks.clone(), fault, exclusive: false })
        })
        .collect()
}

/// The verdicts without anything in front of the runtime, and what each neutral one changed of them. The results are those
/// of jobs behind `faults`.
pub fn compare(faults: &[Option<Fault>], results: Results) -> (Vec<model::Check>, Vec<proof::Neutral>) {
    let (alone, behind): (Results, Results) = results.into_iter().partition(|(job, _)| faults[*job].is_none());
    let alone: Vec<model::Check> = alone.into_iter().map(|(_, result)| result).collect();
    let each = Neutral::ALL.into_iter().map(|neutral| {
        let own = behind.iter().filter(|(job, _)| faults[*job] == Some(Fault::Neutral(neutral)));
        compared(neutral, &alone, own.map(|(_, result)| result))
    });
    let differences = each.collect();
    (alone, differences)
}

fn compared<'r>(
    neutral: Neutral,
    alone: &[model::Check],
    behind: impl Iterator<Item = &'r model::Check>,
) -> proof::Neutral {
    let pairs = behind.filter_map(|result| Some((alone.iter().find(|own| own.id == result.id)?, result)));
    let (mut compared, mut differences) = (0, Vec::new());
    for (own, behind) in pairs.filter(|(own, _)| own.verdict != Verdict::Skip) {
        compared += 1;
        if own.verdict != behind.verdict && !is_of_its_kind(neutral, own.verdict, behind.verdict) {
            differences.push(difference(own, behind));
        }
    }
    let description = Fault::Neutral(neutral).to_string();
    proof::Neutral { id: neutral.name().to_owned(), description, compared, differences }
}

/// Whether a verdict is another one because of what this runtime supplies or refuses, which may be what the one behind it fails to:
/// what it refuses is not supported, and what it does as it should passes.
fn is_of_its_kind(neutral: Neutral, alone: Verdict, behind: Verdict) -> bool {
    let is_mended = matches!(alone, Verdict::Fail | Verdict::Warn) && behind == Verdict::Pass;
    match neutral {
        Neutral::Choosy => behind == Verdict::Skip || is_mended,
        Neutral::Filesystems | Neutral::Resolving | Neutral::Named => is_mended,
        _ => false,
    }
}

fn difference(own: &model::Check, behind: &model::Check) -> Difference {
    let said = behind.findings.first().map(|finding| format!("{}: {}", finding.what, finding.observed));
    Difference {
        check: own.id.clone(),
        alone: own.verdict,
        behind: behind.verdict,
        reason: said.unwrap_or_else(|| behind.reason.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_does_more_may_mend_and_none_may_break() {
        let [choosy, filesystems] = [Neutral::Choosy, Neutral::Filesystems];
        assert!(
            is_of_its_kind(choosy, Verdict::Pass, Verdict::Skip)
                && is_of_its_kind(choosy, Verdict::Fail, Verdict::Pass)
        );
        assert!(is_of_its_kind(filesystems, Verdict::Warn, Verdict::Pass));
        assert!(!is_of_its_kind(filesystems, Verdict::Pass, Verdict::Warn));
        assert!(!is_of_its_kind(choosy, Verdict::Pass, Verdict::Fail));
        assert!(!is_of_its_kind(Neutral::Slow, Verdict::Fail, Verdict::Pass));
    }
}
