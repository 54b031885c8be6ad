//! Counts of verdicts, and the resulting exit code.

use std::collections::BTreeMap;

use crate::model::{Check, Report, Verdict};
use crate::text::plural;

/// How reports name the checks that are under no circumstance.
pub const PLAIN: &str = "plain";

/// How many checks got each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Checks that passed.
    pub pass: usize,
    /// Checks that found a MUST broken.
    pub fail: usize,
    /// Checks that found a SHOULD broken, or an advisory difference.
    pub warn: usize,
    /// Checks that did not run.
    pub skip: usize,
    /// Checks whose own set-up failed.
    pub error: usize,
    /// Checks that the runtime did not finish in time.
    pub timeout: usize,
}

impl Tally {
    /// Counts one more check.
    pub fn add(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
            Verdict::Timeout => &mut self.timeout,
        } += 1;
    }

    /// The count of one verdict.
    pub fn of(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Warn => self.warn,
            Verdict::Skip => self.skip,
            Verdict::Error => self.error,
            Verdict::Timeout => self.timeout,
        }
    }

    /// All checks, skipped ones too.
    pub fn total(&self) -> usize {
        Verdict::ALL.iter().map(|verdict| self.of(*verdict)).sum()
    }

    /// The checks that were begun: all but the skipped ones.
    pub fn ran(&self) -> usize {
        self.total() - self.skip
    }
}

impl Tally {
    /// `180 passed, 12 failed, 3 warnings`: the passed ones always, the others when there are any.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut counts = vec![format!("{} passed", self.pass)];
        let others = [
            (self.fail, "failed".to_owned()),
            (self.timeout, "timed out".to_owned()),
            (self.error, plural(self.error, "error")),
            (self.warn, plural(self.warn, "warning")),
            (self.skip, "skipped".to_owned()),
        ];
        counts.extend(others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        counts.join(", ")
    }
}

impl FromIterator<Verdict> for Tally {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut tally = Tally::default();
        for verdict in verdicts {
            tally.add(verdict);
        }
        tally
    }
}

impl Report {
    /// Counts the verdicts of the checks of each section.
    pub fn sections(&self) -> BTreeMap<&str, Tally> {
        self.tallies(|check| &check.section)
    }

    /// Counts the verdicts of the checks under each circumstance; empty when all are of the plain suite.
    pub fn circumstances(&self) -> BTreeMap<&str, Tally> {
        let tallies = self.tallies(|check| check.circumstance().unwrap_or(PLAIN));
        if tallies.keys().all(|name| *name == PLAIN) { BTreeMap::new() } else { tallies }
    }

    fn tallies<'r>(&'r self, key: impl Fn(&'r Check) -> &'r str) -> BTreeMap<&'r str, Tally> {
        let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
        for check in &self.checks {
            tallies.entry(key(check)).or_default().add(check.verdict);
        }
        tallies
    }

    /// Counts the verdicts of all checks.
    pub fn tally(&self) -> Tally {
        self.checks.iter().map(|check| check.verdict).collect()
    }

    /// The exit code of a run that found this.
    ///
    /// - 1: a check is red: it failed or timed out unexpectedly, or an expected deviation is gone. This wins over 2,
    ///   since a broken MUST stays one whatever else went wrong.
    /// - 2: the harness or the host failed in some check, or the run was cut short before it found a failure.
    /// - 3: nothing ran, because no check was selected or all were skipped.
    /// - 0: everything that ran passed or deviated as expected, perhaps with warnings.
    pub fn exit_code(&self) -> u8 {
        let tally = self.tally();
        if self.checks.iter().any(Check::is_red) {
            1
        } else if tally.error > 0 || self.cut_short.is_some() {
            2
        } else if tally.ran() == 0 {
            3
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_only_what_there_is() {
        assert_eq!(Tally::default().sentence(), "0 passed");
        let tally = Tally { pass: 2, fail: 1, warn: 1, error: 2, timeout: 1, skip: 3 };
        assert_eq!(tally.sentence(), "2 passed, 1 failed, 1 timed out, 2 errors, 1 warning, 3 skipped");
    }
}
