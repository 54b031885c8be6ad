//! The results of `plimsoll fuzz`, as in `fuzz.json`. Schema version [`SCHEMA`]; `schema/fuzz.schema.json` describes the same for other
//! programs, and a test compares the two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Clause, Finding, Host, Known, Runtime, Verdict};

/// Version of the schema. The first number changes when a reader of the old form would misread the new one.
pub const SCHEMA: &str = "1.1";
/// What tells this from the results of a run.
pub const KIND: &str = "fuzz";

/// A search for random cases that break a property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fuzz {
    /// See [`SCHEMA`].
    pub schema: String,
    /// See [`KIND`].
    pub kind: String,
    /// The program that wrote this.
    pub plimsoll: String,
    /// Unique id of the run.
    pub run: String,
    /// The runtimes: one that is judged, or several that are compared.
    pub runtimes: Vec<Runtime>,
    /// The host.
    pub host: Host,
    /// When the search began, in seconds since the epoch.
    pub started_at: u64,
    /// How long it took, in milliseconds, shrinking included.
    pub duration_ms: u64,
    /// How much processor time it took, runtimes and containers included, in milliseconds.
    pub processor_ms: u64,
    /// Whether the search was cut short, and why.
    pub cut_short: Option<String>,
    /// What the cases were drawn from: the same seed gives the same cases.
    pub seed: u64,
    /// How many cases of the corpus were tried first.
    pub corpus: u64,
    /// How many random cases were tried, by kind.
    pub cases: BTreeMap<String, u64>,
    /// How many bundles were tried again without what is known to break them.
    pub again: u64,
    /// In how many bundles each kind of edits was.
    pub edits: BTreeMap<String, u64>,
    /// In how many cases each property had something to judge. Every rule that could be judged is there.
    pub properties: BTreeMap<String, u64>,
    /// What was found, each property with each minimal case once.
    pub failures: Vec<Failure>,
    /// What went wrong in the harness, each text with the number of its first case.
    pub errors: BTreeMap<String, u64>,
}

/// A property that does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Name of the property: that of a rule, or of what every case must keep.
    pub property: String,
    /// `bundle`, `lifecycle`, `hostile`, or `difference` when runtimes do not agree.
    pub kind: String,
    /// `fail`, or `warn` where the clauses do not bind this runtime.
    pub verdict: Verdict,
    /// The clauses that the property rests on.
    pub clauses: Vec<Clause>,
    /// The minimal case, in one line.
    pub description: String,
    /// Its parts: edits, operations, or the mutation.
    pub parts: Vec<String>,
    /// How many edits, operations or mutations are left.
    pub size: u64,
    /// The first case that broke it; none of the corpus has a number.
    pub case: Option<u64>,
    /// How many cases broke it in this way.
    pub times: u64,
    /// When it was found, in milliseconds from the start.
    pub found_ms: u64,
    /// How long it took to make the case minimal, in milliseconds.
    pub shrunk_ms: u64,
    /// How many trials that took.
    pub trials: u64,
    /// What was not as expected of the minimal case.
    pub findings: Vec<Finding>,
    /// Where the minimal case is kept.
    pub kept: Option<String>,
    /// How it is tried again.
    pub replay: String,
    /// What was known of it before.
    pub known: Option<Known>,
}

impl Failure {
    /// Whether it makes the search red.
    #[must_use]
    pub fn is_red(&self) -> bool {
        self.known.is_none() && self.verdict != Verdict::Warn
    }
}

impl Fuzz {
    /// How many random cases were tried.
    #[must_use]
    pub fn tried(&self) -> u64 {
        self.cases.values().sum()
    }

    /// The share of the bundles in which a property was judged that was judged least; nothing without bundles.
    #[must_use]
    pub fn least(&self) -> Option<(&str, f64)> {
        let bundles = self.cases.get("bundle").copied().filter(|count| *count > 0)?;
        let of_rules = self.properties.iter().filter(|(name, _)| !is_of_engine(name));
        let (name, count) = of_rules.min_by_key(|(_, count)| **count)?;
        #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
        Some((name, *count as f64 / bundles as f64))
    }

    /// The exit code of a search that found this: 1 something new, 2 the harness failed or the search was cut short, 3
    /// nothing was tried.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.failures.iter().any(Failure::is_red) {
            1
        } else if !self.errors.is_empty() || self.cut_short.is_some() {
            2
        } else if self.tried() + self.corpus == 0 {
            3
        } else {
            0
        }
    }
}

/// Properties that are no rules.
fn is_of_engine(name: &str) -> bool {
    ["bundle.", "model.", "hostile."].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Fuzz {
        let text = include_str!("../../tests/golden/fuzz.json");
        let mut fuzz: Fuzz = serde_json::from_str(text).unwrap();
        fuzz.failures.clear();
        fuzz.errors.clear();
        fuzz
    }

    #[test]
    fn the_exit_code_says_the_worst() {
        let whole: Fuzz = serde_json::from_str(include_str!("../../tests/golden/fuzz.json")).unwrap();
        assert_eq!(whole.exit_code(), 1);
        assert_eq!(empty().exit_code(), 0);
        assert_eq!(Fuzz { cut_short: Some("interrupted".into()), ..empty() }.exit_code(), 2);
        assert_eq!(Fuzz { cases: BTreeMap::new(), corpus: 0, ..empty() }.exit_code(), 3);
    }

    #[test]
    fn the_property_that_was_judged_least_is_named() {
        assert_eq!(empty().least(), Some(("linux.masked-paths", 0.25)));
    }
}
