//! What of the host can change a time.

pub mod machine;
pub mod noise;
