//! The commands that measure.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::View;
use crate::shared::output::ReportRequest;

/// What is measured and how it is called.
#[derive(Clone, Debug, Args)]
pub struct RuntimeArgs {
    /// The runtime binaries: paths, or names to look up in PATH once. Give it several times to compare [default: the
    /// bundled runtime].
    #[arg(long, value_name = "PATH")]
    pub runtime: Vec<PathBuf>,
    /// How to speak to all of them: `runc`, `runsc`, or a TOML file [default: for each what fits its version].
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Which cgroup mounts the runtimes are shown; see `plimsoll run --help`.
    #[arg(long, value_enum, default_value_t = View::Host)]
    pub cgroup_view: View,
    /// The longest that one call may take, in seconds; then it counts as hung.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub timeout: u64,
}

/// Measure runtimes against each other.
#[derive(Debug, Args)]
pub struct Bench {
    /// What is measured.
    #[command(flatten)]
    pub runtimes: RuntimeArgs,
    /// A configuration to measure with; may be given several times, `all` means each [default: default].
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,
    /// A bundle of yours to measure with. It is not written to; its program is replaced by one that stamps the clock.
    #[arg(long, value_name = "DIR")]
    pub bundle: Vec<PathBuf>,
    /// What to measure; may be given several times.
    #[arg(long, value_enum, value_name = "WHAT", default_values_t = [What::Phases])]
    pub measure: Vec<What>,
    /// How many lives a soak has.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub cycles: u32,
    /// Quiet before each container: `cold` is 100 ms, as on a host that starts one now and then; `hot` is none, as in a
    /// loop.
    #[arg(long, value_enum, default_value_t = Cadence::Cold)]
    pub cadence: Cadence,
    /// What each runtime does in a block; may be given several times. Only `run`, `hot` and one runtime is what a stopwatch
    /// around a loop would measure.
    #[arg(long, value_enum, value_name = "TURN", default_values_t = [Turn::Life, Turn::Run])]
    pub turn: Vec<Turn>,
    /// Measure until each median of `whole` and `run` is known this well, to each side, at 95 % confidence.
    #[arg(long, value_name = "SHARE", default_value = "2%")]
    pub precision: Share,
    /// The longest that a scenario may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub limit: u64,
    /// Measure exactly so many blocks, whatever the precision.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub blocks: Option<u32>,
    /// What the order is drawn from [default: the time].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Measure without the floor: the same work by a program that is no runtime.
    #[arg(long)]
    pub no_floor: bool,
    /// An earlier benchmark of the same machine to compare with.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Exit with 1 when a later runtime, or this run against the baseline, is slower than the first by more than this
    /// with its whole interval.
    #[arg(long, value_name = "SHARE")]
    pub gate: Option<Share>,
    /// Where to write everything as JSON.
    #[arg(long, value_name = "FILE", default_value = "bench.json")]
    pub output: PathBuf,
    /// Show it in this format as well: table, html or csv; see `plimsoll run --help`.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}

/// Quiet before each container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Cadence {
    /// 100 ms of quiet.
    Cold,
    /// None.
    Hot,
}

/// What a runtime does in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Turn {
    /// From create to delete, each operation a phase.
    Life,
    /// By `run`.
    Run,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// How long each operation takes.
    Phases,
    /// Memory, processor time, system calls, page faults, and what stays for each container that lives.
    Cost,
    /// Rate and times with up to 64 starts at once.
    Parallel,
    /// Times of a start beside up to 500 containers that live.
    Population,
    /// What many lives leave behind.
    Soak,
}

/// Show where the time of `create` and `start` goes.
#[derive(Debug, Args)]
pub struct Trace {
    /// What is traced; several stand side by side.
    #[command(flatten)]
    pub runtimes: RuntimeArgs,
    /// The configuration to trace with; see `plimsoll bench --help`.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub scenario: String,
    /// Where to write everything as JSON.
    #[arg(long, value_name = "FILE", default_value = "trace.json")]
    pub output: PathBuf,
    /// Show it in this format as well: table or html; see `plimsoll run --help`.
    #[arg(long, value_name = "FORMAT[=FILE]")]
    pub format: Vec<ReportRequest>,
}

/// A share, written as `2%` or `0.02`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
        let share: Option<f64> = number.trim().parse().ok().map(|number: f64| number / unit);
        let sound = share.filter(|share| (0.0..=1.0).contains(share) && *share > 0.0);
        sound.map(Self).ok_or_else(|| format!("no share {text:?}; write 5% or 0.05"))
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
