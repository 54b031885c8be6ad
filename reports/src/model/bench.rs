//! The results of a benchmark or a trace, as in `bench.json`. Times are in milliseconds, memory in KiB, shares and ratios plain numbers
//! (0.05 is 5 %). `schema/bench.schema.json` describes the same for other programs.

mod cost;
mod phases;
mod trace;

use serde::{Deserialize, Serialize};

use super::{Host, Runtime};

pub use cost::{Axis, Cost, Curve, Footprint, Operation, Point, Soak};
pub use phases::{Difference, Interval, Measured, Mishap, MishapKind, Phase, Ratio, Scenario, Summary};
pub use trace::{Span, Step, Trace};

/// Version of the schema. The first number changes when a reader of the old form would misread the new one.
pub const SCHEMA: &str = "1.2";

/// What tells a benchmark from the results of a run.
pub const KIND: &str = "benchmark";

/// Everything that one call of `plimsoll bench` or `plimsoll trace` measured, on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benchmark {
    /// See [`SCHEMA`].
    pub schema: String,
    /// See [`KIND`].
    pub kind: String,
    /// Version of the program that wrote this.
    pub plimsoll: String,
    /// Unique id of the run; every name that the run made on the host contains it.
    pub run: String,
    /// The host.
    pub host: Host,
    /// What of the host can change a time.
    pub machine: Machine,
    /// How the measurements were laid out.
    pub design: Design,
    /// When it began, in seconds since the epoch.
    pub started_at: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// Why it was cut short, when it was.
    pub cut_short: Option<String>,
    /// What was measured, in the order of the command line; the floor is the last.
    pub subjects: Vec<Subject>,
    /// The phases, by scenario.
    pub scenarios: Vec<Scenario>,
    /// What one container costs besides time.
    pub costs: Vec<Cost>,
    /// How time changes with the number of containers.
    pub curves: Vec<Curve>,
    /// What many cycles leave behind.
    pub soaks: Vec<Soak>,
    /// Where the time goes.
    pub traces: Vec<Trace>,
    /// What a reader should know before believing a figure.
    pub warnings: Vec<String>,
}

/// What of the host can change a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Names the machine and no person: a hash of its id.
    pub id: String,
    /// Model of the processor.
    pub cpu: String,
    /// How many processors this program may use.
    pub processors: u64,
    /// What sets their frequency; empty when the host does not tell.
    pub governor: String,
    /// Whether a hypervisor is below the kernel.
    pub virtual_machine: bool,
    /// The clock that the kernel reads.
    pub clock_source: String,
    /// What the kernel does about each weakness of the processor that concerns it.
    pub mitigations: Vec<String>,
    /// Type of the filesystem of the bundles.
    pub filesystem: String,
}

/// How the measurements were laid out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// What the order was drawn from: the same seed gives the same order.
    pub seed: u64,
    /// `cold`: quiet before each container. `hot`: one after the other.
    pub cadence: String,
    /// What each subject did in a block: `lifecycle`, from create to delete, or `run`. The floor only has `run`.
    pub turns: Vec<String>,
    /// How much quiet.
    pub quiet_ms: u64,
    /// Measuring ends when each interval is narrower than this, to each side.
    pub precision: f64,
    /// Or after this time for a scenario, in seconds.
    pub limit_s: u64,
    /// Blocks ahead of those that count.
    pub warm_up_blocks: u64,
    /// The subject that ratios are taken against, by name.
    pub against: String,
}

/// Something that makes containers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// What it is called here.
    pub name: String,
    /// Facts of its binary.
    pub runtime: Runtime,
    /// Whether it is no runtime but the same work done barely.
    pub floor: bool,
}

/// What else went on while a scenario was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Share of all processor time that the hypervisor gave to others.
    pub stolen: f64,
    /// Share of all processor time that was used by what this program did not start.
    pub others: f64,
    /// Load average of the last minute, at the end.
    pub load: f64,
    /// Slowest over fastest frequency that was seen, less 1; none when the host does not tell.
    pub frequency_spread: Option<f64>,
}
