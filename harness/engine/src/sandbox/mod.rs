//! What sets a check apart from the host: namespaces, control groups, `/dev` and a directory of its own; and how all that is
//! cleaned up.

pub mod clean;
pub mod isolate;
pub(crate) mod private_dev;
pub mod result_channel;
pub mod run_sandbox;
