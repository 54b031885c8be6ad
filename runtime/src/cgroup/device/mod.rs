//! `linux.resources.devices`: which device nodes may be used.
//!
//! Specification: `config-linux.md#allowed-device-list`. Version 1 has files for it, version 2 a program in eBPF.

mod gate;
mod policy;
mod program;
mod v1;

pub use gate::Gate;
pub use policy::Policy;

pub(super) use gate::prepare;
pub(super) use program::Instruction;
