//! The bundled reference runtime: a complete OCI runtime for Linux, small enough to be read in an afternoon.
//!
//! A map, in the order in which a container meets the modules:
//! * [`cli`] is the command line, compatible with runc's; [`operation`] has one file for each of its verbs.
//! * [`config`] reads `config.json` and refuses what is wrong before anything is made.
//! * [`container`] is what is on disk of a container, and the status that follows from it and the kernel.
//! * [`launch`] is the runtime's side of a start, [`init`] that of the container's init process: two processes that
//!   talk over [`sync`].
//! * [`cgroup`] limits what the container uses: the only place that knows cgroup version 1 from version 2.
//! * [`criu`] speaks with the program that checkpoints and restores.
//! * [`seccomp`] compiles the filter of system calls.
//! * [`rootfs`] makes the container's file system, by descriptors alone.
//! * `sys` holds every `unsafe`.
//!
//! `README.md` beside this crate walks through what happens, in order, when a container starts.

pub mod cgroup;
pub mod cli;
pub mod config;
pub mod container;
pub mod criu;
pub mod error;
pub mod foreground;
pub mod hook;
pub mod init;
pub mod launch;
pub mod log;
pub mod netlink;
pub mod notify;
pub mod number;
pub mod operation;
pub mod procfs;
pub mod protect;
pub mod resctrl;
pub mod rootfs;
pub mod seccomp;
pub mod sync;
mod sys;

pub use cli::main;
pub use sys::{Scrubbing, enter};
