//! The system below: system calls, processes, `/proc`, control groups, and what a run keeps of them. Everything else stands on this.

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
