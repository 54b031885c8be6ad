//! Commands that measure.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::View;
use crate::shared::output::ReportRequest;

/// The runtimes, and how they are called.
#[derive(Clone, Debug, Args)]
pub struct RuntimeArgs {
    /// A runtime binary: a path, or a name that is looked up in PATH once. Give it several times to compare runtimes
    /// [default: the bundled runtime].
    #[arg(long, value_name = "PATH")]
    pub runtime: Vec<PathBuf>,
    /// Command-line profile of the runtimes: `runc`, `runsc`, or the path of a TOML file [default: by the version that each
    /// prints].
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// The cgroup mounts that the runtimes see; see `plimsoll run --help`.
    #[arg(long, value_enum, default_value_t = View::Host)]
    pub cgroup_view: View,
    /// Timeout of each call of a runtime, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub timeout: u64,
}

/// Measure how fast runtimes are.
#[derive(Debug, Args)]
pub struct Bench {
    /// The runtimes.
    #[command(flatten)]
    pub runtimes: RuntimeArgs,
    /// Built-in configuration to measure with, or `all`. Can be given several times [default: default].
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,
    /// A bundle to measure with. It is not changed; a program that reports the time is run instead of its own.
    #[arg(long, value_name = "DIR")]
    pub bundle: Vec<PathBuf>,
    /// What to measure. Can be given several times.
    #[arg(long, value_enum, value_name = "WHAT", default_values_t = [What::Phases])]
    pub measure: Vec<What>,
    /// Number of containers of a soak test.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub cycles: u32,
    /// Pause before each container: `cold` pauses for 100 ms, as a host does that starts containers now and then; `hot`
    /// does not pause, as in a loop.
    #[arg(long, value_enum, default_value_t = Cadence::Cold)]
    pub cadence: Cadence,
    /// What each runtime does in a block. Can be given several times.
    #[arg(long, value_enum, value_name = "TURN", default_values_t = [Turn::Lifecycle, Turn::Run])]
    pub turn: Vec<Turn>,
    /// Measure until the 95 % confidence interval of each median of `whole` and `run` is within this share of the median.
    #[arg(long, value_name = "SHARE", default_value = "2%")]
    pub precision: Share,
    /// Time limit of each scenario, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub limit: u64,
    /// Measure exactly N blocks, whatever the precision.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub blocks: Option<u32>,
    /// Seed of the random order [default: the current time].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Do not measure the floor, a program that only makes the system calls that a container needs.
    #[arg(long)]
    pub no_floor: bool,
    /// Compare with an earlier benchmark of the same machine.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Exit with 1 if a runtime is slower than the first one, or than in the baseline, by more than this share, with its
    /// whole confidence interval.
    #[arg(long, value_name = "SHARE")]
    pub gate: Option<Share>,
    /// Write the measurements to this file, as JSON.
    #[arg(long, value_name = "FILE", default_value = "bench.json")]
    pub output: PathBuf,
    /// Render in this format: table, html or csv; see `plimsoll run --help`.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}

/// Pause before each container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Cadence {
    /// Pause for 100 ms.
    Cold,
    /// Do not pause.
    Hot,
}

/// What a runtime does in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Turn {
    /// `create`, `start`, `state`, `exec`, `kill` and `delete`.
    #[value(name = "lifecycle", alias = "life")]
    Lifecycle,
    /// `run`, which does all of it.
    Run,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The time of each operation.
    Phases,
    /// Memory, CPU time, system calls and page faults, and the memory per running container.
    Cost,
    /// Rate and times of up to 64 starts at the same time.
    Parallel,
    /// Times of a start while up to 500 containers run.
    Population,
    /// What many containers leave behind, one after the other.
    Soak,
}

/// Trace `create` and `start`.
#[derive(Debug, Args)]
pub struct Trace {
    /// The runtimes; several are shown side by side.
    #[command(flatten)]
    pub runtimes: RuntimeArgs,
    /// Built-in configuration to trace with; see `plimsoll bench --help`.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub scenario: String,
    /// Write the measurements to this file, as JSON.
    #[arg(long, value_name = "FILE", default_value = "trace.json")]
    pub output: PathBuf,
    /// Render in this format: table or html; see `plimsoll run --help`.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}

/// A share, such as `2%` or `0.02`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
        let share: Option<f64> = number.trim().parse().ok().map(|number: f64| number / unit);
        let sound = share.filter(|share| (0.0..=1.0).contains(share) && *share > 0.0);
        sound.map(Self).ok_or_else(|| format!("not a share: {text:?}; write 5% or 0.05"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_two_spellings() {
        assert_eq!("5%".parse(), Ok(Share(0.05)));
        assert_eq!("0.05".parse(), Ok(Share(0.05)));
        for wrong in ["", "0", "-1%", "101%", "x%", "nan"] {
            assert!(wrong.parse::<Share>().unwrap_err().contains("write 5%"), "{wrong}");
        }
    }
}
