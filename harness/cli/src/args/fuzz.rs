//! Commands for random cases.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::Subject;

/// Test a runtime with random cases.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// The runtime.
    #[command(flatten)]
    pub subject: Subject,
    /// Seed of the random cases: the same seed gives the same cases [default: the current time].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Number of random cases [default: 200, or no limit with --for].
    #[arg(long, value_name = "N")]
    pub cases: Option<u64>,
    /// Stop after this time, such as `90s`, `10m` or `1h`.
    #[arg(long = "for", value_name = "DURATION")]
    pub time: Option<Time>,
    /// Use only edits of this section (`process`, `mounts`, …). Can be given several times.
    #[arg(long, value_name = "NAME")]
    pub section: Vec<String>,
    /// Use only cases of this kind. Can be given several times.
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Vec<Kind>,
    /// Run the same bundles on these runtimes and report where they differ, instead of testing one.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', conflicts_with_all = ["runtime", "kind"])]
    pub differential: Vec<PathBuf>,
    /// A file of known deviations; see `plimsoll run --help`. A known failure is counted, and the search continues without
    /// the edits that cause it.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
    /// Directory of cases that are tried before random ones [default: fixtures/corpus, if it exists].
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// Save minimized cases in this directory, each in a directory of its own.
    #[arg(long, value_name = "DIR", default_value = "plimsoll-fuzz")]
    pub keep: PathBuf,
    /// Write the findings to this file, as JSON.
    #[arg(long, value_name = "FILE", default_value = "fuzz.json")]
    pub output: PathBuf,
    /// Stop at the first new failure.
    #[arg(long)]
    pub first: bool,
    /// Inject the fault of this mutant into the runtime, to show that the search finds it.
    #[arg(long, value_name = "MUTANT")]
    pub fault: Option<String>,
}

/// A kind of random cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Valid bundles, judged by all rules that apply.
    Bundle,
    /// Sequences of operations, compared with a model of the lifecycle.
    Lifecycle,
    /// Malicious configurations, ids and paths.
    Hostile,
}

/// A duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(at);
        let seconds = match unit {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => 0,
        };
        let length = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds)).filter(|it| *it > 0);
        length.map(|seconds| Self(Duration::from_secs(seconds))).ok_or_else(|| "write 90s, 10m or 1h".to_owned())
    }
}

/// Run a check or a saved case again.
#[derive(Debug, Args)]
pub struct Replay {
    /// Results of a run, or the directory of a case that `plimsoll fuzz` saved.
    #[arg(value_name = "RESULTS|DIR")]
    pub place: PathBuf,
    /// The id of the check, for results. It runs with the options of that run, unless they are given again.
    pub id: Option<String>,
    /// The runtime.
    #[command(flatten)]
    pub subject: Subject,
    /// For a saved case: inject the fault of this mutant.
    #[arg(long, value_name = "MUTANT", conflicts_with = "id")]
    pub fault: Option<String>,
}

/// Manage the corpus.
#[derive(Debug, Args)]
pub struct Corpus {
    /// The command.
    #[command(subcommand)]
    pub command: CorpusCommand,
}

/// Commands for the corpus.
#[derive(Debug, Subcommand)]
pub enum CorpusCommand {
    /// Add a saved case.
    Add {
        /// The directory of a case that `plimsoll fuzz` saved.
        dir: PathBuf,
        /// Name of the case in the corpus [default: the name of the directory].
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// The corpus.
        #[arg(long, value_name = "DIR", default_value = super::CORPUS)]
        corpus: PathBuf,
    },
    /// List the cases, one per line.
    List {
        /// The corpus.
        #[arg(long, value_name = "DIR", default_value = super::CORPUS)]
        corpus: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit() {
        assert_eq!("10m".parse(), Ok(Time(Duration::from_secs(600))));
        assert_eq!("7".parse(), Ok(Time(Duration::from_secs(7))));
        for wrong in ["", "m", "0s", "-1s", "1d", "99999999999999999999h"] {
            assert!(wrong.parse::<Time>().is_err(), "{wrong}");
        }
    }
}
