//! Puts what is not wrong in front of the runtime: no verdict may change.

use plimsoll_engine::check::Check;
use plimsoll_engine::company;
use plimsoll_engine::fault::{Fault, Neutral};
use plimsoll_engine::schedule::Job;
use plimsoll_reports::model::proof::{self, Difference};
use plimsoll_reports::model::{self, Verdict};

use super::Results;
use crate::failure::Failure;

/// Runs all checks behind each neutral runtime and compares with the verdicts without.
pub fn compare(
    checks: &[&Check],
    alone: &[model::Check],
    mut run: impl FnMut(Vec<Job<'_>>) -> Result<Results, Failure>,
) -> Result<Vec<proof::Neutral>, Failure> {
    Neutral::ALL
        .into_iter()
        .map(|neutral| {
            let fault = Fault::Neutral(neutral);
            let jobs = company::together(checks).into_iter().map(|checks| Job { checks, fault: Some(fault) });
            let behind = run(jobs.collect())?;
            let pairs =
                behind.iter().filter_map(|(_, result)| Some((alone.iter().find(|own| own.id == result.id)?, result)));
            let (mut compared, mut differences) = (0, Vec::new());
            for (own, behind) in pairs.filter(|(own, _)| own.verdict != Verdict::Skip) {
                compared += 1;
                if own.verdict != behind.verdict {
                    differences.push(difference(own, behind));
                }
            }
            Ok(proof::Neutral { id: neutral.name().to_owned(), description: fault.to_string(), compared, differences })
        })
        .collect()
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
