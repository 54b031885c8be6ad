//! What several commands use.

pub mod bundled;
pub mod defaults;
pub mod expectations;
pub mod failure;
pub mod output;
pub mod progress;
pub mod replay;
pub mod requirements;
pub mod select;
pub mod session;
