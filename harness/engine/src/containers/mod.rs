//! A container of a check, from its bundle to its end, and what stands around it: terminals, networks, other namespaces.

pub mod channel;
pub(crate) mod optional_features;
pub mod console;
pub mod container;
pub mod disk;
pub mod evidence;
mod faults;
pub mod foreground;
pub mod namespace_holder;
pub mod lab;
pub mod overlay;
pub mod listener;
pub mod service_manager;
pub mod hook_barrier;
pub mod network;
pub mod refusal;
mod describe;
mod users;
pub mod watch;
