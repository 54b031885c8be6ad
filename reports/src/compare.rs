//! Compares two runs of the same checks.

mod pages;
mod stable;

use std::collections::BTreeMap;

use crate::model::{Check, Finding, Report, Verdict};

pub use pages::{markdown, text};
use stable::stable;

/// A check takes notably longer when it takes three times as long, where all take as long as before, and this much more: in
/// milliseconds. Less comes and goes with what else the host does.
const NOTABLE_MS: f64 = 250.0;
const NOTABLE: f64 = 3.0;

/// What changed from one run to another.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// The earlier run.
    pub old: &'a Report,
    /// The later one.
    pub new: &'a Report,
    /// How many checks both have.
    pub compared: usize,
    /// Each change, of one kind after the other.
    pub changes: BTreeMap<Kind, Vec<Change<'a>>>,
}

/// What a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It fails or hangs, and did not.
    NewlyFailing,
    /// Nothing is known of it any more, or it ran into an error before and still runs into another verdict than a pass.
    NewlyUnknown,
    /// It warns, and passed.
    NewlyWarning,
    /// It passes or only warns, and failed, hung or could not be judged; or it passes and warned.
    NewlyPassing,
    /// It runs and did not, or the other way round, or another reason keeps it from running.
    Skips,
    /// The verdict is the same bad one, for another observation.
    Evidence,
    /// It takes notably longer or shorter.
    Timing,
}

impl Kind {
    /// Every kind, the most urgent first.
    pub const ALL: [Kind; 7] = [
        Kind::NewlyFailing,
        Kind::NewlyUnknown,
        Kind::NewlyWarning,
        Kind::NewlyPassing,
        Kind::Skips,
        Kind::Evidence,
        Kind::Timing,
    ];

    /// As a title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Kind::NewlyFailing => "Newly failing",
            Kind::NewlyUnknown => "Newly in error",
            Kind::NewlyWarning => "Newly warning",
            Kind::NewlyPassing => "Newly passing",
            Kind::Skips => "Changed skips",
            Kind::Evidence => "Changed evidence",
            Kind::Timing => "Changed timings",
        }
    }
}

/// A check in both runs.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// In the earlier run.
    pub old: &'a Check,
    /// In the later one.
    pub new: &'a Check,
}

/// Compares the checks that both runs have.
#[must_use]
pub fn compare<'a>(old: &'a Report, new: &'a Report) -> Comparison<'a> {
    let before: BTreeMap<&str, &Check> = old.checks.iter().map(|check| (check.id.as_str(), check)).collect();
    let mut changes: BTreeMap<Kind, Vec<Change<'a>>> = BTreeMap::new();
    let (mut compared, pace) = (0, pace(&before, new));
    for check in &new.checks {
        let Some(earlier) = before.get(check.id.as_str()) else { continue };
        compared += 1;
        let change = Change { old: earlier, new: check };
        kinds(old, new, change, pace).for_each(|kind| changes.entry(kind).or_default().push(change));
    }
    Comparison { old, new, compared, changes }
}

/// What a reader should know when the runs are not of the same checks: how many are missing where, and one of them.
#[must_use]
pub fn unlike(old: &Report, new: &Report) -> Option<String> {
    let missing = |from: &Report, other: &Report, whose: &str| {
        let there: std::collections::BTreeSet<&str> = other.checks.iter().map(|check| check.id.as_str()).collect();
        let mut lacking = from.checks.iter().filter(|check| !there.contains(check.id.as_str()));
        let first = lacking.next()?;
        Some(format!("{} checks are only in the {whose} results, such as {}", lacking.count() + 1, first.id))
    };
    let parts: Vec<String> = [missing(old, new, "old"), missing(new, old, "new")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

impl Comparison<'_> {
    /// The exit code as a gate: 1 when a check fails that did not and that nobody expects to, 2 when one is in error or
    /// the later run was cut short, else 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |kind| self.changes.get(&kind).into_iter().flatten();
        if any(Kind::NewlyFailing).any(|change| !change.new.is_known()) {
            1
        } else {
            u8::from(any(Kind::NewlyUnknown).next().is_some() || self.new.cut_short.is_some()) * 2
        }
    }

    /// Whether each check has the same verdict in both runs: to be asked of two runs of one runtime, where better is as odd as
    /// worse.
    #[must_use]
    pub fn has_same_verdicts(&self) -> bool {
        self.changes.values().flatten().all(|change| change.old.verdict == change.new.verdict)
    }
}

/// How many times as long as before the checks take, by the median: the host or the number of jobs may be another.
fn pace(before: &BTreeMap<&str, &Check>, new: &Report) -> f64 {
    let both = new.checks.iter().filter_map(|check| Some((before.get(check.id.as_str())?, check)));
    let ran = both.filter(|(old, new)| old.duration_ms > 0.0 && new.duration_ms > 0.0);
    let mut ratios: Vec<f64> = ran.map(|(old, new)| new.duration_ms / old.duration_ms).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(1.0)
}

fn kinds<'a>(old: &'a Report, new: &'a Report, change: Change<'a>, pace: f64) -> impl Iterator<Item = Kind> {
    let verdict = by_verdict(change.old.verdict, change.new.verdict);
    let reason = || stable(&change.old.reason, &old.run) != stable(&change.new.reason, &new.run);
    let same = match change.new.verdict {
        Verdict::Skip if reason() => Some(Kind::Skips),
        Verdict::Fail | Verdict::Warn if seen(old, change.old) != seen(new, change.new) => Some(Kind::Evidence),
        _ => None,
    };
    let bad = if change.old.verdict == change.new.verdict { same } else { verdict };
    bad.into_iter().chain(timing(change, pace))
}

/// What a change of verdict is.
fn by_verdict(old: Verdict, new: Verdict) -> Option<Kind> {
    match (old, new) {
        (old, new) if old == new => None,
        (Verdict::Fail, Verdict::Timeout) | (Verdict::Timeout, Verdict::Fail) => Some(Kind::Evidence),
        (_, Verdict::Fail | Verdict::Timeout) => Some(Kind::NewlyFailing),
        (_, Verdict::Error) => Some(Kind::NewlyUnknown),
        (Verdict::Skip, _) | (_, Verdict::Skip) => Some(Kind::Skips),
        (Verdict::Pass, Verdict::Warn) => Some(Kind::NewlyWarning),
        _ => Some(Kind::NewlyPassing),
    }
}

/// What was found, without what no two runs have in common.
fn seen(report: &Report, check: &Check) -> Vec<[String; 3]> {
    let stable = |text: &str| stable(text, &report.run);
    let each = |Finding { what, expected, observed }: &Finding| [stable(what), stable(expected), stable(observed)];
    check.findings.iter().map(each).collect()
}

fn timing(change: Change<'_>, pace: f64) -> Option<Kind> {
    let ran = [change.old, change.new].iter().all(|check| matches!(check.verdict, Verdict::Pass | Verdict::Warn));
    let (shorter, longer) = match (change.old.duration_ms * pace, change.new.duration_ms) {
        (old, new) if old < new => (old, new),
        (old, new) => (new, old),
    };
    (ran && longer > NOTABLE * shorter && longer - shorter > NOTABLE_MS).then_some(Kind::Timing)
}
