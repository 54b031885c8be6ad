//! The lifecycle of containers as a state machine ([`machine`]), and random sequences of operations that runtimes are
//! held against it with ([`play`]).

mod machine;
mod play;
mod step;

pub use play::{CITES, attempt};
pub use step::{Call, Signal, Step, sequence};
