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

pub use checks::{artifacts, batch, check, circumstance, execute, fuzz_case, guarded, need};
pub use containers::{
    channel, console, container, disk, evidence, foreground, hook_barrier, lab, listener, namespace_holder, network,
    overlay, refusal, service_manager, watch, way,
};
pub use run::{host, schedule, self_report, workers};
pub use runtime::{caller, describe, driver, fault, judgement, profile, release, settings};
pub use sandbox::{clean, isolate, result_channel, run_sandbox};
pub use system::{cgroup, deadline, liveness, observer, orphans, process, run_id, saved_mounts, sys};
