//! Where the time of an operation goes.

use serde::{Deserialize, Serialize};

/// Where the time of one operation goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Name of the subject.
    pub subject: String,
    /// The operation.
    pub operation: String,
    /// From the first to the last moment; being traced makes it longer than it is by itself.
    pub total_ms: f64,
    /// System calls of all its processes.
    pub system_calls: u64,
    /// What was done, in the order in which each began.
    pub steps: Vec<Step>,
    /// When, for a time line.
    pub spans: Vec<Span>,
}

/// A group of system calls that a reader understands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// How long, over all processes.
    pub ms: f64,
    /// Of the time of all steps together.
    pub share: f64,
    /// How many system calls.
    pub system_calls: u64,
    /// The calls that took most of it, most first: `unshare 3.1 ms`.
    pub foremost: Vec<String>,
}

/// A stretch in which one process did one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Which process or thread, from 0 in the order of their appearance.
    pub task: u32,
    /// Name of the step.
    pub step: String,
    /// Begin, from the begin of the operation.
    pub at_ms: f64,
    /// Length.
    pub ms: f64,
}
