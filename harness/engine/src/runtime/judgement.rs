//! The findings of a judge, and why a check ends early.

use plimsoll_foreign::read::ReadError;
use plimsoll_reports::model::Finding;

use crate::runtime::describe::Describe;
use crate::runtime::profile::Op;
use crate::system::process::Ended;

/// The expectations of one check, and those that were not met.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    expectations: usize,
    findings: Vec<Finding>,
    /// How many findings are about nothing but an exit code of 0.
    exit_code_only: usize,
    /// How many findings are what a call that failed has changed.
    side_effects: usize,
    advisory: Option<&'static str>,
}

impl Judgement {
    /// From now on a broken expectation is only a warning: for this reason, what is expected does not bind this runtime.
    pub fn advise(&mut self, why: &'static str) {
        self.advisory = Some(why);
    }

    /// Why what is expected does not bind this runtime, if it does not.
    #[must_use]
    pub fn advisory(&self) -> Option<&'static str> {
        self.advisory
    }

    /// Expects `met` to be true. `expected` and `observed` are shown to the reader when it is not.
    pub fn expect(&mut self, what: &str, met: bool, expected: impl Into<String>, observed: impl Describe) {
        self.expectations += 1;
        if !met {
            self.findings.push(Finding {
                what: what.to_owned(),
                expected: expected.into(),
                observed: observed.describe(),
            });
        }
    }

    /// Expects two values to be equal.
    pub fn expect_eq<T: PartialEq<U> + Describe, U: Describe>(&mut self, what: &str, observed: T, expected: U) {
        self.expect(what, observed == expected, expected.describe(), observed);
    }

    /// Expects that a call says that it failed, after which all is as it should be. Where it exits with 0 the exit code alone is
    /// wrong: how, and whether, an error is told is left open (`runtime.md#errors`).
    pub fn expect_error(&mut self, what: &str, outcome: &Outcome) {
        self.expect(what, outcome.refused().is_ok(), "an error: an exit code other than 0", outcome.said());
        self.exit_code_only += usize::from(outcome.ended == Ended::Exit(0));
    }

    /// Whether the only findings are exit codes of 0 instead of errors.
    #[must_use]
    pub fn is_exit_code_only(&self) -> bool {
        self.exit_code_only > 0 && self.exit_code_only == self.findings.len()
    }

    /// How often something was expected. A check that expected nothing has judged nothing.
    #[must_use]
    pub fn expectations(&self) -> usize {
        self.expectations
    }

    /// What was not as expected.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Expects that these differences are none: what a call that has to fail has changed. Where it says that it worked they are
    /// found all the same, but no clause about calls that fail is broken.
    pub fn expect_no_effect(&mut self, outcome: &Outcome, differences: Vec<Finding>) {
        if !outcome.succeeded() {
            self.side_effects += differences.len();
        }
        differences.into_iter().for_each(|finding| self.add(finding));
    }

    /// Whether a call that failed has changed something.
    #[must_use]
    pub fn has_side_effects(&self) -> bool {
        self.side_effects > 0
    }

    /// Whether nothing was found but what a call that failed has changed.
    #[must_use]
    pub fn has_side_effects_only(&self) -> bool {
        self.side_effects == self.findings.len()
    }

    /// Adds a finding of the engine's own.
    pub fn add(&mut self, finding: Finding) {
        self.expectations += 1;
        self.findings.push(finding);
    }
}

/// Why a scenario ends before its last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The runtime did something that makes the rest pointless.
    Broken(Finding),
    /// The runtime refuses what it need not support, and nothing is to be left of that; the text says what.
    Unsupported(String),
    /// Something that the check needs is not there; the text says what would make it run.
    Skip(String),
    /// The harness or the host failed.
    Error(String),
    /// The runtime did not finish in time.
    Timeout(Op),
}

impl Stop {
    /// A finding that ends the scenario.
    #[must_use]
    pub fn broken(what: impl Into<String>, expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::Broken(Finding { what: what.into(), expected: expected.into(), observed: observed.into() })
    }

    /// A failure of our own while `doing` something.
    pub fn error(doing: &str) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.to_owned();
        move |why| Self::Error(format!("{doing}: {why}"))
    }
}

impl Stop {
    /// A file that the runtime may have written was not read: what is odd about it is the runtime's doing.
    pub fn of_file(what: &str) -> impl FnOnce(ReadError) -> Self {
        let what = what.to_owned();
        move |why| match why {
            odd if odd.is_odd() => Self::broken(what, "a regular file of a fitting length", odd.to_string()),
            other => Self::Error(format!("read {what}: {other}")),
        }
    }
}

impl From<ReadError> for Stop {
    fn from(why: ReadError) -> Self {
        Self::of_file("a file that the runtime can write to")(why)
    }
}

impl From<std::io::Error> for Stop {
    fn from(why: std::io::Error) -> Self {
        Self::Error(why.to_string())
    }
}

impl From<nix::Error> for Stop {
    fn from(why: nix::Error) -> Self {
        Self::Error(why.to_string())
    }
}

impl From<plimsoll_fixtures::bundle::BuildError> for Stop {
    fn from(why: plimsoll_fixtures::bundle::BuildError) -> Self {
        let cause = std::error::Error::source(&why).map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::Error(format!("{why}{cause}"))
    }
}

/// What is expected of a call that should work.
const SUCCESS: &str = "success: exit 0";

/// Whether a finding is that this operation, which should work, did not.
#[must_use]
pub fn is_failure_of(finding: &Finding, op: Op) -> bool {
    finding.expected == SUCCESS && finding.what == op.to_string()
}

/// The result of a run, or of a step of it.
pub type StepResult<T = ()> = Result<T, Stop>;

/// What a call of the runtime came to.
#[derive(Clone, Debug)]
#[must_use = "a call that nobody looks at judges nothing"]
pub struct Outcome {
    /// The operation.
    pub op: Op,
    /// How it ended.
    pub ended: Ended,
    /// Standard output, bounded; empty where it was the container's.
    pub stdout: String,
    /// Standard error, bounded.
    pub stderr: String,
}

impl Outcome {
    /// Goes on only when the runtime said that it worked.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it said otherwise.
    pub fn ok(&self) -> StepResult {
        if self.ended == Ended::Exit(0) {
            return Ok(());
        }
        Err(Stop::broken(self.op.to_string(), SUCCESS, self.said()))
    }

    /// Goes on only when the runtime said that it failed: it exited with another code than 0. A death by signal is a
    /// crash, not a refusal.
    ///
    /// # Errors
    /// [`Stop::Broken`] when it said otherwise.
    pub fn refused(&self) -> StepResult {
        match self.ended {
            Ended::Exit(code) if code != 0 => Ok(()),
            Ended::Exit(_) | Ended::Signal(_) | Ended::Deadline => {
                Err(Stop::broken(self.op.to_string(), "an error: an exit code other than 0", self.said()))
            }
        }
    }

    /// Whether the runtime said that it worked.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.ended == Ended::Exit(0)
    }

    /// How it ended and the end of what it said, for a reader.
    #[must_use]
    pub fn said(&self) -> String {
        let stderr = self.stderr.trim();
        if stderr.is_empty() { self.ended.to_string() } else { format!("{}: {stderr}", self.ended) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(ended: Ended) -> Outcome {
        Outcome { op: Op::Start, ended, stdout: String::new(), stderr: String::new() }
    }

    #[test]
    fn an_exit_code_alone_is_told_apart_from_what_else_is_wrong() {
        let mut out = Judgement::default();
        out.expect_error("start", &start(Ended::Exit(1)));
        assert!(out.findings().is_empty() && !out.is_exit_code_only());
        out.expect_error("start", &start(Ended::Exit(0)));
        assert!(out.is_exit_code_only());
        out.expect("the program", false, "never runs", "it runs");
        assert!(!out.is_exit_code_only());
    }

    #[test]
    fn only_a_call_that_failed_has_left_something() {
        let difference = || vec![Finding { what: String::new(), expected: String::new(), observed: String::new() }];
        let mut out = Judgement::default();
        out.expect_no_effect(&start(Ended::Exit(0)), difference());
        assert!(!out.findings().is_empty() && !out.has_side_effects());
        out.expect_no_effect(&start(Ended::Exit(1)), difference());
        assert!(out.has_side_effects());
    }

    #[test]
    fn a_crash_is_more_than_an_exit_code() {
        let mut out = Judgement::default();
        out.expect_error("start", &start(Ended::Signal(13)));
        assert!(!out.findings().is_empty() && !out.is_exit_code_only());
    }
}
