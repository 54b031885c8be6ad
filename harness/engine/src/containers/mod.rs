//! A container of a check, from its bundle to its end, and what stands around it: terminals, networks, other namespaces.

pub mod channel;
pub(crate) mod choice;
pub mod console;
pub mod container;
pub mod disk;
pub mod evidence;
mod faults;
pub mod foreground;
pub mod holder;
pub mod lab;
pub mod layers;
pub mod listener;
pub mod manager;
pub mod meeting;
pub mod network;
pub mod refusal;
mod shown;
mod users;
pub mod watch;
