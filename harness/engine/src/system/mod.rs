//! System calls, processes, `/proc`, cgroups, and what a run keeps of them.

pub mod cgroup;
pub mod deadline;
pub(crate) mod descriptors;
pub(crate) mod host_lock;
pub(crate) mod kernel_fs;
pub mod liveness;
pub mod observer;
pub mod orphans;
pub(crate) mod proc;
pub mod process;
pub mod run_id;
pub mod saved_mounts;
pub mod sys;
