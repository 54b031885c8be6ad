//! What isolates a check from the host: namespaces, cgroups, `/dev` and a directory of its own; and the cleanup of all that.

pub mod clean;
pub mod isolate;
pub(crate) mod private_dev;
pub mod result_channel;
pub mod run_sandbox;
