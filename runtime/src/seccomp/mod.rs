//! `linux.seccomp`: from a profile to a filter in the kernel. Specification: `config-linux.md#seccomp`.
//!
//! Kernel documentation: `userspace-api/seccomp_filter.rst`; seccomp(2). What is called when:
//! ```text
//! runtime, before clone     Filter::compile; Handover::new when the profile notifies
//! child, as late as it can  Filter::install (it needs no_new_privs or CAP_SYS_ADMIN)
//! runtime, meanwhile        Handover::receive, then notify::send, when the profile notifies
//! ```

mod action;
mod arch;
mod compile;
mod condition;
mod filter;
mod handover;
mod instruction;
mod multiplexer;
pub mod notify;
mod sys;
mod table;
#[cfg(test)]
mod testing;

pub use arch::native;
pub use filter::{Filter, supported_flags};
pub use handover::Handover;
