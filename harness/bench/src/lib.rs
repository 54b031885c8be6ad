//! Benchmarks of OCI runtimes. [`experiment`] plans the turns, [`phases`] runs one turn, [`statistics`] evaluates the samples.
//! What is timed is one program from call to end, executed by its path, with nothing around it.

mod design;
mod extras;
pub mod floor;
mod host;
pub mod statistics;
pub mod trace;
mod turn;

pub use design::{experiment, scenario, subject};
pub use extras::{cost, scale};
pub use host::{machine, noise};
pub use turn::{call, clock, output, phases, site, sys, watch};
