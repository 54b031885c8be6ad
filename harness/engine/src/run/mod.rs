//! A run: which checks are under way at the same time, on which host, against which runtime.

pub mod host;
pub mod schedule;
pub mod self_report;
pub mod workers;
