//! Cgroups against this host's kernel: as root, with whatever hierarchies it has. What is missing is said and skipped.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod devices;
mod lifecycle;
mod limits;
mod member;
mod place;
