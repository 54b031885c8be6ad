//! Files of `/proc`, read and parsed.

pub(crate) mod files;
pub mod mountinfo;
pub(super) mod proc_dir;
pub mod stat;
pub mod status;
