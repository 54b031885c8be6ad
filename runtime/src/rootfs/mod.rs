//! The container's file system: mounts, devices, links, masks, and the way of its root to `/`.
//!
//! Everything is made detached or opened first and then used by its descriptor (open_tree(2), fsopen(2),
//! move_mount(2), openat2(2)), so nothing that an image holds can lead a step of the runtime out of the root.

pub mod beneath;
pub mod cgroup;
pub mod console;
mod copy;
mod defaults;
pub mod detached;
pub mod device;
pub mod mask;
pub mod mount;
pub mod options;
pub mod pivot;
pub mod source;
pub mod sysctl;

pub use beneath::{Root, inside};
pub use cgroup::is_cgroup;
pub use defaults::{Planned, plan_mounts};
pub use source::{IdMap, Source};
