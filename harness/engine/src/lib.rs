//! The engine: drives a runtime, observes the results, guards the host, and runs checks concurrently. It knows no clause and no check;
//! `plimsoll-suites` provides those.
//!
//! The path of a check: [`schedule`] selects it, [`isolate`] starts an isolated process for it, [`execute`] runs it on a [`lab`] with a
//! [`driver`], [`container`]s, an [`observer`] and a [`guard`], and decides on the verdict.
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
    overlay, refusal, relay, service_manager, watch, way,
};
pub use run::{host, schedule, self_report, workers};
pub use runtime::{caller, describe, driver, fault, judgement, profile, release, settings};
pub use sandbox::{clean, isolate, result_channel, run_sandbox};
pub use system::{cgroup, deadline, liveness, observer, orphans, process, run_id, saved_mounts, sys};
