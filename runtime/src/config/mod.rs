//! `config.json`: its shape, and what is checked before anything is made.

mod require;
mod resources;
mod seccomp;

pub use resources::{
    BlockIo, Cpu, DeviceClass, DeviceRule, HugepageLimit, InterfacePriority, Memory, Network, Pids, Rdma, Resources,
    Throttle, WeightDevice,
};
pub use seccomp::{Action, Arch, Argument, Flag, Operator, Seccomp, SyscallRule};
