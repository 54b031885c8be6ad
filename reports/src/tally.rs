//! Counts of verdicts, and the exit code that follows from them.

use crate::model::{Check, Report, Verdict};

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
