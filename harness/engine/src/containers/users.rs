//! User ids outside of a user namespace.

/// Both maps of a user namespace that a check makes: inside 0 is this id outside, and so on.
pub const FIRST_ID: u32 = 100_000;

/// How many ids it maps.
pub const IDS: u32 = 65_536;
