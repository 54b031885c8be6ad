//! The commands that try random cases.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::Subject;

/// Try random cases.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// The runtime.
    #[command(flatten)]
    pub subject: Subject,
    /// What the cases are drawn from: the same number gives the same cases [default: the time].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many random cases to try [default: 200, unless --for says how long].
    #[arg(long, value_name = "N")]
    pub cases: Option<u64>,
    /// How long to try, such as `90s`, `10m`, `1h`.
    #[arg(long = "for", value_name = "DURATION")]
    pub time: Option<Time>,
    /// Only edits of this section (`process`, `mounts`, …). May be given several times.
    #[arg(long, value_name = "NAME")]
    pub section: Vec<String>,
    /// Only cases of this kind. May be given several times.
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Vec<Kind>,
    /// Compare these runtimes with each other instead of judging one: the same bundles on each.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', conflicts_with_all = ["runtime", "kind"])]
    pub differential: Vec<PathBuf>,
    /// Known deviations: files as for `plimsoll run`. A case that is named there does not turn the search red, and the
    /// search goes on behind it.
    #[arg(long, value_name = "FILE")]
    pub expect: Vec<PathBuf>,
    /// Cases that are tried before the random ones [default: fixtures/corpus, if it is there].
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// Where the minimal cases are kept, a directory each.
    #[arg(long, value_name = "DIR", default_value = "plimsoll-fuzz")]
    pub keep: PathBuf,
    /// Where to write what was found as JSON.
    #[arg(long, value_name = "FILE", default_value = "fuzz.json")]
    pub output: PathBuf,
    /// Stop at the first new failure.
    #[arg(long)]
    pub first: bool,
    /// Pose as a wrong runtime in front of the real one, as `plimsoll prove` does: shows that the search finds it.
    #[arg(long, value_name = "MUTANT")]
    pub fault: Option<String>,
}

/// A kind of random cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Valid bundles, judged by every rule that applies.
    Bundle,
    /// Sequences of operations, held against the model of the lifecycle.
    Lifecycle,
    /// Configurations, ids and paths that mean harm.
    Hostile,
}

/// A length of time.
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

/// Try a check or a kept case again.
#[derive(Debug, Args)]
pub struct Replay {
    /// The results of a run, or the directory that `plimsoll fuzz` made.
    #[arg(value_name = "RESULTS|DIR")]
    pub place: PathBuf,
    /// The check, when the place is results. It is run with the options of that run, unless others are given here.
    pub id: Option<String>,
    /// The runtime.
    #[command(flatten)]
    pub subject: Subject,
    /// The wrong runtime to pose as, for a kept case.
    #[arg(long, value_name = "MUTANT", conflicts_with = "id")]
    pub fault: Option<String>,
}

/// DisplayOptions after the cases that are tried first.
#[derive(Debug, Args)]
pub struct Corpus {
    /// What to do.
    #[command(subcommand)]
    pub command: CorpusCommand,
}

/// What to do with the corpus.
#[derive(Debug, Subcommand)]
pub enum CorpusCommand {
    /// Add a kept case.
    Add {
        /// The directory that `plimsoll fuzz` made.
        dir: PathBuf,
        /// Its name in the corpus [default: that of the directory].
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// The corpus.
        #[arg(long, value_name = "DIR", default_value = super::CORPUS)]
        corpus: PathBuf,
    },
    /// List the cases, one a line.
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
