//! One turn: the calls of a runtime for one container, each timed.

pub mod call;
pub mod clock;
pub mod output;
pub mod phases;
pub mod site;
pub mod sys;
pub mod watch;
