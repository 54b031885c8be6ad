//! Benchmarks of OCI runtimes. [`experiment`] lays out turns, [`cycle`] is one turn, [`statistics`] says what the samples
//! come to. What is timed is one program from call to end, executed by its path, with nothing around it.

pub mod call;
pub mod clock;
pub mod cost;
pub mod cycle;
pub mod experiment;
pub mod floor;
pub mod machine;
pub mod noise;
pub mod output;
pub mod place;
pub mod scale;
pub mod scenario;
pub mod statistics;
pub mod subject;
pub mod sys;
pub mod trace;
pub mod watch;
