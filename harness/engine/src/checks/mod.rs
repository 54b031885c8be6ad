//! What a check is, what it needs, and how it is carried out and judged.

pub mod check;
pub mod company;
pub mod conduct;
pub(crate) mod grounds;
pub mod keep;
mod look;
pub mod need;
pub mod perform;
pub(crate) mod place;
pub mod trial;
