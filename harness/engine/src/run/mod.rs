//! A run: which checks run at the same time, on which host, against which runtime.

pub mod host;
pub mod schedule;
pub mod self_report;
pub mod workers;
