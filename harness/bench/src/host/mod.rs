//! Properties of the host that can change a time.

pub mod machine;
pub mod noise;
