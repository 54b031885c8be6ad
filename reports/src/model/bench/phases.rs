//! Times: samples, their statistics, and comparisons between subjects.

use serde::{Deserialize, Serialize};

use super::Noise;

/// The phases of all subjects with one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// How many blocks count; in each of them every subject had one turn.
    pub blocks: u64,
    /// Whether the precision was reached before the time limit.
    pub settled: bool,
    /// One for each subject.
    pub subjects: Vec<Measured>,
    /// Each subject against the one that the design names, by phase.
    pub ratios: Vec<Ratio>,
    /// What else went on.
    pub noise: Noise,
}

/// What one subject did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Name of the subject.
    pub subject: String,
    /// Its phases, in the order of a container's life.
    pub phases: Vec<Phase>,
    /// Cycles that failed, hung or came out wrong; none of their times is in a phase.
    pub mishaps: Vec<Mishap>,
    /// Median of the last third of the blocks over that of the first; warm-up was enough when it is about 1.
    pub drift: Option<Interval>,
}

/// One timed operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What the samples come to; none when there are none.
    pub summary: Option<Summary>,
    /// The block of each sample.
    pub blocks: Vec<u32>,
    /// Each sample, none dropped.
    pub samples_ms: Vec<f64>,
}

/// What samples come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// The middle one.
    pub median_ms: f64,
    /// Lower end of the 95 % interval of the median.
    pub low_ms: f64,
    /// Upper end of it.
    pub high_ms: f64,
    /// Nine in ten are below.
    pub p90_ms: f64,
    /// Ninety-nine in a hundred are below.
    pub p99_ms: f64,
    /// The least.
    pub min_ms: f64,
    /// The greatest.
    pub max_ms: f64,
    /// Median of the distances from the median.
    pub mad_ms: f64,
    /// How many are further from the middle half than three times its width; they are counted in all the others.
    pub outliers: u64,
}

/// An estimate with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A cycle that did not go as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mishap {
    /// In which block.
    pub block: u32,
    /// In which phase.
    pub phase: String,
    /// What it was.
    pub kind: MishapKind,
    /// In words.
    pub what: String,
}

/// What a mishap was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MishapKind {
    /// A call said that it failed.
    Failed,
    /// A call did not end in time.
    Hung,
    /// A call said that it was done, and it was not.
    Wrong,
}

/// One subject against another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// In which phase.
    pub phase: String,
    /// The one.
    pub subject: String,
    /// The other.
    pub against: String,
    /// The median, over the blocks, of the ratio within a block.
    pub ratio: Interval,
    /// The median, over the blocks, of the difference within a block, in milliseconds.
    pub difference_ms: Interval,
    /// What follows.
    pub verdict: Difference,
}

/// What a ratio says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// The subject takes less time.
    Faster,
    /// It takes more.
    Slower,
    /// The whole interval lies within 1 % of equality.
    None,
    /// The interval reaches beyond that, and to equality or near it: more blocks may tell. Since schema 1.1.
    Inconclusive,
}
