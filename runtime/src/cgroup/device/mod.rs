//! `linux.resources.devices`: which device nodes may be used.
//!
//! Specification: `config-linux.md#allowed-device-list`. Version 1 has files for it, version 2 a program in eBPF.

mod policy;
mod prepared;
mod program;
mod v1;

pub use policy::Policy;
pub use prepared::PreparedRules;

pub(super) use prepared::prepare;
pub(super) use program::Instruction;
