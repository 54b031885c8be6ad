//! The lifecycle of containers as a state machine ([`machine`]), and random sequences of operations that are compared with it
//! ([`execute`]).

mod execute;
mod machine;
mod step;

pub use execute::{CITES, attempt};
pub use step::{Call, Signal, Step, sequence};
