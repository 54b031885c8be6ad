//! `SCMP_ACT_NOTIFY` for the calls that a runtime may need between the filter and the program: nobody has the listener yet who could
//! answer. A runtime hands it over without them, or refuses the filter; it never waits for itself.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::Ask;
use serde_json::json;

use super::filter::{SECCOMP, with_rule};
use crate::refusal;

const FAULTS: &[Fault] = &[Fault::Ignore(Op::Start), Fault::Drop(SECCOMP)];

/// One scenario a row: a system call.
macro_rules! notified {
    ($($name:literal)*) => {
        &[$(Scenario::new(
            concat!("seccomp.notify.handover/", $name),
            &["linux.seccomp.action-notify"],
            FAULTS,
            |lab, out| [true, false].into_iter().try_for_each(|privileges| lives(lab, out, &$name.replace('-', "_"), privileges)),
        )
        .needs(&[Need::HostView, Need::Kernel(5, 5)])),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = notified! {
    "accept4" "capset" "close" "close-range" "execve" "fcntl" "fstat" "futex" "mmap" "openat" "prctl" "read" "recvmsg" "rt-sigaction"
    "sendmsg" "sendto" "setresuid" "write"
};

fn lives(lab: &Lab<'_>, out: &mut Judgement, call: &str, no_new_privileges: bool) -> StepResult {
    let agent = lab.agent()?;
    let mut seccomp = with_rule(&json!({ "names": [call], "action": "SCMP_ACT_NOTIFY" }));
    seccomp["listenerPath"] = json!(agent.path());
    let bundle = lab.bundle(|r| r.set("/process/noNewPrivileges", no_new_privileges).set(SECCOMP, seccomp))?;
    let watch = lab.watch()?;
    let attempt = lab.try_create(&bundle)?;
    if !attempt.outcome.succeeded() {
        return refusal::settle(lab, out, &watch, &bundle, attempt);
    }
    let container = attempt.container()?;
    container.started()?;
    let mode = container.evidence(vec![Ask::Seccomp])?;
    out.expect_eq("mode of seccomp", mode.inside.count(&Ask::Seccomp), Ok(2));
    container.finish_and_delete()
}
