//! The harness judged from outside: its answers to users' mistakes, to hostile runtimes, and to being killed.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod attacks;
mod bench;
mod bundled;
mod cleaned;
mod confined;
mod ended;
mod fuzz;
mod gate;
mod hostile;
mod large;
mod machine;
mod measured;
mod pipelines;
mod usage;
