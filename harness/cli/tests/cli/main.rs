//! The harness judged from outside: its answers to users' mistakes, to hostile runtimes, and to being killed.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "tests read what they wrote")]

mod attacks;
mod bench;
mod bundled;
mod callers;
mod circumstances;
mod cleaned;
mod confined;
mod dependencies;
mod enclosed;
mod ended;
mod fuzz;
mod gate;
mod hostile;
mod large;
mod machine;
mod measured;
mod parsers;
mod pipelines;
mod renamed;
mod replay;
mod requirements;
mod untrusted;
mod usage;
mod written;
