//! What a check is, what it needs, and how it is carried out and judged.

pub mod check;
pub mod company;
pub mod conduct;
pub mod evidence;
pub(crate) mod grounds;
pub mod keep;
pub mod need;
pub(crate) mod place;
pub mod trial;
