//! The results of `plimsoll prove`, as in `proof.json`. Schema version [`SCHEMA`]; `schema/proof.schema.json` describes the same for other
//! programs, and a test compares the two.
//!
//! A mutant is a runtime with an injected fault. A check *kills* it if its verdict turns red.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Host, Runtime, Verdict};

/// Version of the schema. The first number changes when a reader of the old form would misread the new one.
pub const SCHEMA: &str = "1.1";
/// What tells a proof from the results of a run.
pub const KIND: &str = "proof";

/// What the checks are worth: which of them see which mutant of one runtime on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// See [`SCHEMA`].
    pub schema: String,
    /// See [`KIND`].
    pub kind: String,
    /// The program that wrote this.
    pub plimsoll: String,
    /// Unique id of the run.
    pub run: String,
    /// The real runtime behind each mutant.
    pub runtime: Runtime,
    /// The host that it ran on.
    pub host: Host,
    /// When the proof began, in seconds since the epoch.
    pub started_at: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Whether the proof was cut short, and why.
    pub cut_short: Option<String>,
    /// Each mutant, sorted by group and id.
    pub mutants: Vec<Mutant>,
    /// Each check that was set against a mutant, sorted by mutant and check.
    pub pairs: Vec<Pair>,
    /// Checks that do not pass in front of the real runtime, so that no mutant can turn them red.
    pub unsound: Vec<Unsound>,
    /// Ids of checks that pass and kill no mutant.
    pub vacuous: Vec<String>,
    /// Why the mutants that survive do so, as far as that was examined.
    pub explanations: Vec<Explanation>,
    /// What must change no verdict: a runtime in front of which nothing wrong was put.
    pub fairness: Vec<Neutral>,
    /// Counts of the above, for readers that do not want to count.
    pub totals: Totals,
}

/// A faulty runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutant {
    /// Stable name.
    pub id: String,
    /// Its kind, for grouping, such as `config.drop` or `kill`.
    pub group: String,
    /// What it does wrong, as the end of "a runtime that …".
    pub description: String,
    /// Which containers or operations can show it.
    pub applies_to: String,
}

/// A check set against a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// Id of the check.
    pub check: String,
    /// Id of the mutant.
    pub mutant: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The verdict of the check in front of the mutant; none when it did not run there.
    pub verdict: Option<Verdict>,
    /// Ids of the checks that killed the mutant in this trial: the check itself, or the others that did.
    pub by: Vec<String>,
    /// Why the pair does not apply, or what went wrong in the harness; empty otherwise.
    pub reason: String,
}

/// The outcome of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The check that is there for it turned red.
    Killed,
    /// Only other checks turned red.
    KilledByOther,
    /// No check turned red: a hole in the suite.
    Survived,
    /// The harness or the host failed, so nothing is known.
    Error,
    /// The runtime or the host lacks what would show the mutant.
    NotApplicable,
}

impl Outcome {
    /// Every outcome, from the best to the least telling.
    pub const ALL: [Outcome; 5] =
        [Outcome::Killed, Outcome::KilledByOther, Outcome::Survived, Outcome::Error, Outcome::NotApplicable];

    /// The name, as it stands in `proof.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Killed => "killed",
            Outcome::KilledByOther => "killed-by-other",
            Outcome::Survived => "survived",
            Outcome::Error => "error",
            Outcome::NotApplicable => "not-applicable",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// A check that no mutant can turn red, since it does not pass without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsound {
    /// Id of the check.
    pub check: String,
    /// Its verdict on the real runtime.
    pub verdict: Verdict,
    /// Why, where the verdict has a reason.
    pub reason: String,
}

/// Why a mutant survives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Id of the mutant.
    pub mutant: String,
    /// The reason, as a reviewer accepted it.
    pub reason: String,
}

/// Something that changes nothing of what a container is, and so must change no verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neutral {
    /// Stable name, such as `forwards` or `members-reordered`.
    pub id: String,
    /// What it does, as the end of "a runtime that …".
    pub description: String,
    /// How many checks were compared.
    pub compared: u64,
    /// The checks whose verdict it changed; there should be none.
    pub differences: Vec<Difference>,
}

/// A verdict that changed though nothing was wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Id of the check.
    pub check: String,
    /// Its verdict on the runtime alone.
    pub alone: Verdict,
    /// Its verdict with the neutral thing in front.
    pub behind: Verdict,
    /// What the check said of it.
    pub reason: String,
}

/// Counts of a proof.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Mutants by outcome; see [`Proof::fates`].
    pub mutants: BTreeMap<Outcome, u64>,
    /// Pairs by outcome.
    pub pairs: BTreeMap<Outcome, u64>,
    /// Checks that kill a mutant that they are there for.
    pub proven: u64,
    /// Checks that pass and kill none.
    pub vacuous: u64,
    /// Checks that do not pass without a mutant.
    pub unsound: u64,
    /// Survivors that no explanation stands for.
    pub unexplained: u64,
    /// Verdicts that something neutral changed.
    pub differences: u64,
}

impl Proof {
    /// The outcome of each mutant, by id: the best outcome of its pairs, but a survival outweighs an error. A mutant
    /// without pairs is not applicable.
    #[must_use]
    pub fn fates(&self) -> BTreeMap<&str, Outcome> {
        let mut fates: BTreeMap<&str, Outcome> =
            self.mutants.iter().map(|mutant| (mutant.id.as_str(), Outcome::NotApplicable)).collect();
        for pair in &self.pairs {
            let fate = fates.entry(&pair.mutant).or_insert(Outcome::NotApplicable);
            *fate = pair.outcome.min(*fate);
        }
        fates
    }

    /// Why this mutant survives, if that was examined.
    #[must_use]
    pub fn explanation(&self, mutant: &str) -> Option<&str> {
        self.explanations.iter().find(|known| known.mutant == mutant).map(|known| known.reason.as_str())
    }

    /// The counts that [`Proof::totals`] should hold.
    #[must_use]
    pub fn counted(&self) -> Totals {
        let fates = self.fates();
        let survivors = fates.iter().filter(|(_, fate)| **fate == Outcome::Survived);
        let mut proven: Vec<&str> =
            self.pairs.iter().filter(|pair| pair.outcome == Outcome::Killed).map(|pair| pair.check.as_str()).collect();
        proven.sort_unstable();
        proven.dedup();
        let differences = self.fairness.iter().map(|neutral| neutral.differences.len()).sum();
        Totals {
            mutants: count(fates.values().copied()),
            pairs: count(self.pairs.iter().map(|pair| pair.outcome)),
            proven: length(proven.len()),
            vacuous: length(self.vacuous.len()),
            unsound: length(self.unsound.len()),
            unexplained: length(survivors.filter(|(mutant, _)| self.explanation(mutant).is_none()).count()),
            differences: length(differences),
        }
    }

    /// The exit code of a proof that found this.
    ///
    /// - 1: something neutral changed a verdict, or, of a whole proof, a mutant survived without an explanation or a check
    ///   killed none.
    /// - 2: some mutant met only errors of the harness or the host, or the proof was cut short.
    /// - 3: no pair was tried.
    /// - 0: every mutant that applies was killed, or its survival is explained.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let totals = self.counted();
        // What was not tried any more might have killed.
        let lacking = (totals.vacuous > 0 || totals.unexplained > 0) && self.cut_short.is_none();
        if totals.differences > 0 || lacking {
            1
        } else if totals.mutants[&Outcome::Error] > 0 || self.cut_short.is_some() {
            2
        } else if self.pairs.is_empty() {
            3
        } else {
            0
        }
    }
}

/// The section of a check, by its id.
#[must_use]
pub fn section_of(check: &str) -> &str {
    check.split('.').next().unwrap_or(check)
}

/// How often there is each outcome; also those that there are not.
fn count(outcomes: impl Iterator<Item = Outcome>) -> BTreeMap<Outcome, u64> {
    let mut counts: BTreeMap<Outcome, u64> = Outcome::ALL.into_iter().map(|outcome| (outcome, 0)).collect();
    outcomes.for_each(|outcome| *counts.entry(outcome).or_default() += 1);
    counts
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
