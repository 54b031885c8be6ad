//! The bundled reference runtime: a complete OCI runtime for Linux.

pub mod cgroup;
pub mod config;
pub mod error;
pub mod seccomp;
