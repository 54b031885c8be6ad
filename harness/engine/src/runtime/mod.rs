//! Speaking to a runtime: its dialect, what it is called with, what it answers, and how it can be wrong.

pub mod caller;
pub mod describe;
pub mod driver;
pub mod fault;
pub mod judgement;
pub mod profile;
pub mod release;
pub mod settings;
