//! Compares benchmarks: with an earlier one, or two binaries that were measured together.

use std::fmt::Write as _;
use std::process::ExitCode;

use plimsoll_bench::machine::obstacles;
use plimsoll_bench::statistics::{RESOLUTION, difference, unpaired_ratio};
use plimsoll_reports::model::bench::{Benchmark, Difference, Interval};

use crate::args::Bench;
use crate::shared::failure::Failure;
use crate::shared::output::print;

/// What a comparison came to.
pub struct Verdict {
    lines: Vec<String>,
    /// The share that does not count as a difference.
    margin: f64,
    /// Whether an interval is too wide for a verdict.
    open: bool,
    red: bool,
}

/// Fails when times of the two say nothing about each other.
pub fn comparable(old: &Benchmark, new: &Benchmark) -> Result<(), Failure> {
    let obstacles = obstacles(old, new);
    if obstacles.is_empty() {
        return Ok(());
    }
    let why = obstacles.join("; ");
    Err(Failure::Usage(format!("the baseline cannot be compared with this machine: {why}; measure it again here")))
}

/// One ratio with what it is about.
struct Finding {
    scenario: String,
    phase: String,
    subject: String,
    against: String,
    ratio: Interval,
}

/// Compares what there is to compare.
pub fn judge(args: &Bench, found: &Benchmark, baseline: Option<&Benchmark>) -> Verdict {
    let findings = baseline.map_or_else(|| side_by_side(found), |old| over_time(old, found));
    let asked = baseline.is_some() || args.gate.is_some();
    let margin = args.gate.map_or(RESOLUTION, |gate| gate.0);
    let mut verdict = Verdict { lines: Vec::new(), margin, open: false, red: false };
    for finding in findings.iter().filter(|_| asked) {
        let said = difference(finding.ratio, margin);
        verdict.open |= said == Difference::Inconclusive;
        verdict.red |= args.gate.is_some() && said == Difference::Slower;
        verdict.lines.push(line(finding, said));
    }
    verdict
}

/// Prints it; red when it is.
pub fn answer(verdict: &Verdict) -> Result<ExitCode, Failure> {
    let mut text = String::new();
    for line in &verdict.lines {
        writeln!(text, "{line}").map_err(Failure::host)?;
    }
    if !verdict.lines.is_empty() {
        let margin = verdict.margin * 100.0;
        writeln!(text, "no difference: the whole interval is within {margin} %").map_err(Failure::host)?;
    }
    if verdict.open {
        writeln!(text, "inconclusive: the interval is wider than that; measure more blocks (--precision, --limit)")
            .map_err(Failure::host)?;
    }
    print(&text)?;
    Ok(if verdict.red { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn line(finding: &Finding, said: Difference) -> String {
    let Finding { scenario, phase, subject, against, ratio } = finding;
    let percent = |value: f64| (value - 1.0) * 100.0;
    let word = match said {
        Difference::Faster => "faster",
        Difference::Slower => "SLOWER",
        Difference::None => "no difference",
        Difference::Inconclusive => "inconclusive",
    };
    let (low, high) = (percent(ratio.low), percent(ratio.high));
    format!(
        "{word:<14}{scenario} {phase}: {subject} against {against} {:+.1} % ({low:+.1} to {high:+.1})",
        percent(ratio.value)
    )
}

fn side_by_side(found: &Benchmark) -> Vec<Finding> {
    let floor = found.subjects.iter().find(|subject| subject.floor).map(|subject| subject.name.as_str());
    let mut findings = Vec::new();
    for scenario in &found.scenarios {
        let counted = scenario
            .ratios
            .iter()
            .filter(|ratio| ratio.against == found.design.against && Some(ratio.subject.as_str()) != floor);
        findings.extend(counted.map(|ratio| Finding {
            scenario: scenario.name.clone(),
            phase: ratio.phase.clone(),
            subject: ratio.subject.clone(),
            against: ratio.against.clone(),
            ratio: ratio.ratio,
        }));
    }
    findings
}

/// Subjects, scenarios and phases of the same names. The blocks of two runs have nothing in common, so nothing is paired.
fn over_time(old: &Benchmark, new: &Benchmark) -> Vec<Finding> {
    let mut random = fastrand::Rng::with_seed(new.design.seed);
    let mut findings = Vec::new();
    for scenario in &new.scenarios {
        let Some(before) = old.scenarios.iter().find(|one| one.name == scenario.name) else { continue };
        for measured in &scenario.subjects {
            let Some(then) = before.subjects.iter().find(|one| one.subject == measured.subject) else { continue };
            for phase in &measured.phases {
                let earlier = then.phases.iter().find(|one| one.name == phase.name);
                let ratio =
                    earlier.and_then(|earlier| unpaired_ratio(&phase.samples_ms, &earlier.samples_ms, &mut random));
                findings.extend(ratio.map(|ratio| Finding {
                    scenario: scenario.name.clone(),
                    phase: phase.name.clone(),
                    subject: measured.subject.clone(),
                    against: "the baseline".to_owned(),
                    ratio,
                }));
            }
        }
    }
    findings
}
