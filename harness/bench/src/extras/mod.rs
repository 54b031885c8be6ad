//! What is measured besides the phases of one container.

pub mod cost;
pub mod scale;
