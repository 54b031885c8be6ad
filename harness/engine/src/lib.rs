//! The engine: it drives a runtime, observes what comes of it, guards the host, and runs checks side by side. It knows
//! no clause and no check; `plimsoll-suites` brings those.
//!
//! A check's way: [`schedule`] picks it, [`isolate`] sets a process apart for it, [`execute`] carries it out on a
//! [`lab`] with a [`driver`], [`container`]s, an [`observer`] and a [`guard`], and weighs what was found.
#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests read what they wrote"))]

mod checks;
mod containers;
pub mod guard;
mod run;
mod runtime;
mod sandbox;
mod system;

pub use checks::{check, batch, execute, artifacts, need, guarded, fuzz_case};
pub use containers::{
    channel, console, container, disk, evidence, foreground, namespace_holder, lab, overlay, listener, service_manager, hook_barrier, network,
    refusal, watch,
};
pub use run::{workers, host, schedule, self_report};
pub use runtime::{driver, fault, judgement, profile, release, settings, describe};
pub use sandbox::{clean, isolate, result_channel, run_sandbox};
pub use system::{cgroup, saved_mounts, liveness, observer, orphans, deadline, process, run_id, sys};
