//! Values that engines write into configurations, and that the specification does not have or does not explain.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Octal;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::json;

use super::{cgroup_value, compat};
use crate::process::capabilities::only;
use crate::refusal;

const PIDS: &str = "/linux/resources/pids/limit";
const MEMORY: &str = "/linux/resources/memory/limit";

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.engine.device/kind-among-the-bits-of-its-mode", &[],
        &[Fault::Take("/linux/devices/0/fileMode", "384"), Fault::Fail(Op::Create)], |lab, out| {
            let device = json!({ "path": "/dev/own", "type": "c", "major": 10, "minor": 229, "fileMode": 0o20640 });
            let container = lab.running(|r| r.set("/linux/devices", [device]))?;
            let stat = container.evidence(vec![Ask::Stat("/dev/own".into())])?;
            out.expect_eq("mode of /dev/own", stat.inside.stat("/dev/own").map(|stat| Octal(stat.mode)), Ok(Octal(0o640)));
            container.finish_and_delete()
        };
    "compat.engine.pids/none-is-no-limit-before-1-3-0", &[Need::HostView, Need::Controller("pids")],
        &[Fault::Take(PIDS, "1"), Fault::Take(PIDS, "3")], |lab, out| {
            let container = lab.running(|r| r.set("/ociVersion", "1.0.2").set(PIDS, 0))?;
            out.expect_eq("processes that the program could make", container.ask(Ask::Fork(5))?, Ok(Reply::Count(5)));
            container.finish_and_delete()
        };
    "compat.engine.memory/none-is-no-limit", &[Need::HostView, Need::Controller("memory")],
        &[Fault::Take(MEMORY, "33554432"), Fault::Fail(Op::Create)], |lab, out| {
            let unset = lab.running(|r| r)?;
            let limit = |container| cgroup_value(container, "memory", "memory.limit_in_bytes", "memory.max");
            let wanted = limit(&unset)?;
            unset.finish_and_delete()?;
            let container = lab.running(|r| r.set(MEMORY, 0))?;
            out.expect_eq("limit of memory", limit(&container)?, wanted);
            container.finish_and_delete()
        };
    "compat.engine.capabilities/ambient-without-inheritable-is-no-warning", &[],
        &[Fault::Take("/process/capabilities/ambient/0", "\"CAP_OF_NO_KERNEL\"")], |lab, out| {
            // The program has it all the same, and its standard error is that of create. What a runtime says at each call is no
            // complaint.
            let held = ["bounding", "effective", "permitted", "ambient"];
            let usual = said_at_create(lab, &held[..3])?;
            out.expect_eq("standard error of create", said_at_create(lab, &held)?, usual);
            Ok(())
        };
    "compat.engine.names/contradiction-is-refused", &[], &[Fault::Drop("/linux/sysctl"), Fault::Succeed(Op::Create)],
        |lab, out| {
            lab.control(|r| r.set("/domainname", "one").set(DOMAIN, "one"))?;
            refusal::by_create(lab, out, &lab.bundle(|r| r.set("/domainname", "one").set(DOMAIN, "other"))?)
        };
};

const DOMAIN: &str = "/linux/sysctl/kernel.domainname";

/// What create writes to standard error for a program that has two capabilities in these sets.
fn said_at_create(lab: &Lab<'_>, sets: &[&str]) -> StepResult<String> {
    let attempt = lab.try_create(&lab.bundle(|r| only(r, sets, &["CAP_CHOWN", "CAP_KILL"]))?)?;
    let said = attempt.outcome.stderr.clone();
    let container = attempt.container()?;
    container.started()?;
    container.finish_and_delete()?;
    Ok(said)
}

/// One scenario a row: what the program is instead of one that can be executed.
macro_rules! no_program {
    ($($name:literal, $edits:expr;)*) => {
        compat! { $(
            concat!("compat.create.program/", $name), &[], &[Fault::Succeed(Op::Create)], |lab, out| refused(lab, out, $edits);
        )* }
    };
}

/// Engines tell a command that is missing or cannot be executed by a create that fails.
fn refused(lab: &Lab<'_>, out: &mut Judgement, edits: fn(&mut Recipe) -> &mut Recipe) -> StepResult {
    lab.control(|r| r)?;
    refusal::by_create(lab, out, &lab.bundle(edits)?)
}

pub(super) const PROGRAMS: &[Scenario] = no_program! {
    "missing", |r| r.args(&["/no/such/program"]);
    "in-no-directory-of-the-path", |r| r.args(&["no-such-program"]);
    "without-the-right-to-execute", |r| r.file("/plain", "no program").args(&["/plain"]);
    "a-directory", |r| r.directory("/directory").args(&["/directory"]);
};
