//! A container of a check, from its bundle to its end, with terminals, networks and namespaces.

pub mod channel;
pub mod console;
pub mod container;
mod describe;
pub mod disk;
pub mod evidence;
mod faults;
pub mod foreground;
pub mod hook_barrier;
pub mod lab;
pub mod listener;
pub mod namespace_holder;
pub mod network;
pub(crate) mod optional_features;
pub mod overlay;
pub mod refusal;
pub mod relay;
pub mod service_manager;
mod users;
pub mod watch;
pub mod way;
