//! Virtual machines to judge runtimes in: other kernels, other cgroup modes, other security modules than the host's.
//! One static binary plays all parts:
//!
//! ```text
//! host   [`kernel`] finds an image and its modules, [`pack`] makes an initial root filesystem of this binary, the
//!        runtime and the [`job`], [`qemu`] starts the machine, and [`machine`] listens until it ends
//!             ▲ three serial ports: the kernel's console, what happens, what came of it ([`wire`])
//! guest  [`guest`]: the same binary as process 1 mounts, delegates, loads a policy, runs the command, and reaps
//! ```

pub mod archive;
pub mod closure;
mod diagnosis;
pub mod environment;
pub mod error;
pub mod guest;
pub mod job;
pub mod kernel;
pub mod machine;
pub mod module;
pub mod pack;
pub mod policy;
pub mod qemu;
mod sys;
mod watchdog;
pub mod wire;
