//! How to call a runtime: its command line, its answers, and its faults.

pub mod caller;
pub mod describe;
pub mod driver;
pub mod fault;
pub mod judgement;
pub mod profile;
pub mod release;
pub mod settings;
