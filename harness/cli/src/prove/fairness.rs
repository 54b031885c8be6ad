//! Puts what is not wrong in front of the runtime: no verdict may change.

use plimsoll_engine::check::Check;
use plimsoll_engine::company;
use plimsoll_engine::fault::{Fault, Neutral};
use plimsoll_engine::schedule::Job;
use plimsoll_reports::model::proof::{self, Difference};
use plimsoll_reports::model::{self, Verdict};

use super::Results;
use crate::failure::Failure;

/// Runs all checks behind each neutral runtime, side by side, and compares with the verdicts without.
pub fn compare(
    checks: &[&Check],
    alone: &[model::Check],
    run: impl FnOnce(Vec<Job<'_>>) -> Result<Results, Failure>,
) -> Result<Vec<proof::Neutral>, Failure> {
    let companies = company::together(checks);
    let behind = |neutral| {
        companies.iter().map(move |checks| Job { checks: checks.clone(), fault: Some(Fault::Neutral(neutral)) })
    };
    let results = run(Neutral::ALL.into_iter().flat_map(behind).collect())?;
    let each = Neutral::ALL.into_iter().enumerate().map(|(at, neutral)| {
        let own = results.iter().filter(|(job, _)| job / companies.len() == at);
        compared(neutral, alone, own.map(|(_, result)| result))
    });
    Ok(each.collect())
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
        if own.verdict != behind.verdict {
            differences.push(difference(own, behind));
        }
    }
    let description = Fault::Neutral(neutral).to_string();
    proof::Neutral { id: neutral.name().to_owned(), description, compared, differences }
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
