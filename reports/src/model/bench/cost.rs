//! The cost of containers besides time, and times with many containers.

use serde::{Deserialize, Serialize};

use super::{Mishap, Summary};

/// What one container costs besides time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Name of the subject.
    pub subject: String,
    /// Name of the scenario.
    pub scenario: String,
    /// By operation.
    pub operations: Vec<Operation>,
    /// Processes that stay for each container alive, its own among them.
    pub processes: f64,
    /// Proportional memory of those processes, by container.
    pub pss_kib: f64,
    /// Memory that the container's cgroup is charged with; none when there is no such controller.
    pub cgroup_kib: Option<f64>,
    /// The smallest memory limit with which the container still starts; none when none was found.
    pub smallest_limit_kib: Option<u64>,
}

/// What one call of the runtime costs. Each column is from runs of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// The most memory that the runtime's processes had at once, each at its own peak.
    pub peak_kib: u64,
    /// Processor time outside of the kernel, of the runtime and the children that it waited for.
    pub user_ms: f64,
    /// Processor time in the kernel.
    pub system_ms: f64,
    /// Page faults, with and without a disk read.
    pub page_faults: u64,
    /// System calls of all its processes.
    pub system_calls: u64,
    /// How many processes and threads it had.
    pub tasks: u64,
}

/// How time changes with the number of containers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What the number is.
    pub axis: Axis,
    /// Name of the subject.
    pub subject: String,
    /// In the order of the number.
    pub points: Vec<Point>,
}

/// What is varied along a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// How many containers are being started at once.
    Parallel,
    /// How many containers live already while one more is started.
    Population,
}

/// A point of a curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The number.
    pub at: u64,
    /// Times from call to end of one container; none when none came through.
    pub summary: Option<Summary>,
    /// Containers a second.
    pub rate: f64,
    /// Containers that failed, hung or came out wrong.
    pub mishaps: Vec<Mishap>,
}

/// What many cycles leave behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Soak {
    /// Name of the subject.
    pub subject: String,
    /// How many containers lived and died.
    pub cycles: u64,
    /// Those that failed, hung or came out wrong.
    pub mishaps: Vec<Mishap>,
    /// What was there before the first.
    pub before: Footprint,
    /// What was there after the last.
    pub after: Footprint,
}

/// What a host holds at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// Memory that is not available to programs.
    pub memory_kib: u64,
    /// Directories in all hierarchies of control groups.
    pub cgroups: u64,
    /// Mounts in the mount namespace of this program.
    pub mounts: u64,
    /// Files and directories of the runtime's state.
    pub state_files: u64,
}
