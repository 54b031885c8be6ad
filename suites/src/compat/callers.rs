//! What the program inherits from the caller of the runtime, and what it must not: ignored signals, the CPU affinity, variables of the
//! runtime.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::driver::DEAF;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::process::Ended;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::{Answer, Ask, Flaw, PATH, Reply};
use serde_json::json;

use super::compat;

const EXEC: &[Need] = &[Need::Operation(Op::Exec)];
const SEEN: &[Need] = &[Need::Operation(Op::Exec), Need::HostView, SECOND];
const SECOND: Need = Need::File("/sys/devices/system/cpu/cpu1");
const NARROW: &[Fault] = &[Fault::Take("/linux/resources", r#"{ "cpu": { "cpus": "0" } }"#)];

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.caller.signals/not-ignored-after-create", &[], &[Fault::Flawed(Flaw::Ignored)], |lab, out| {
        let bundle = lab.bundle(|r| r)?;
        let container = lab.try_create_from(&lab.dir, &bundle, |values| values.with(DEAF, ""))?.container()?;
        container.started()?;
        none_ignored(out, &container.ask(Ask::Signals)?);
        container.finish_and_delete()
    };
    "compat.caller.signals/not-ignored-after-exec", EXEC, &[Fault::OfExec(&Fault::Flawed(Flaw::Ignored))], |lab, out| {
        let container = lab.running(|r| r)?;
        let mut program = container.exec_with(|values| plain(values).with(DEAF, ""))?;
        program.greeted()?;
        none_ignored(out, &program.ask_all(&[Ask::Signals])?.remove(0));
        program.finish()?.ok()?;
        container.finish_and_delete()
    };
    "compat.caller.processors/all-of-the-group", &[Need::HostView, SECOND], NARROW,
        |lab, out| {
            let all = processors(getpid())?;
            narrow()?;
            let container = lab.running(|r| r)?;
            out.expect_eq("processors", processors(container.pid)?, all);
            container.finish_and_delete()
        };
    "compat.caller.processors/all-of-the-group-at-exec", SEEN,
        NARROW, |lab, out| {
            let all = processors(getpid())?;
            let container = lab.running(|r| r)?;
            narrow()?;
            let mut program = container.exec_with(plain)?;
            let hello = program.greeted()?;
            let found = program.pid(&hello)?.map(processors).transpose()?;
            out.expect_eq("processors", found, Some(all));
            program.finish()?.ok()?;
            container.finish_and_delete()
        };
    "compat.log.warnings/apart-from-the-program", &[Need::Option(Op::Create, "log")], &[Fault::Forget(Op::Create, "log")],
        |lab, out| {
            // What cannot be granted is warned of.
            let sets = ["CAP_KILL", "CAP_OF_NO_KERNEL"];
            let sets = json!({ "bounding": sets, "effective": sets, "permitted": sets });
            let bundle = lab.bundle(|r| r.set("/process/capabilities", sets))?;
            let log = lab.dir.join("log");
            let attempt = lab.try_create_from(&lab.dir, &bundle, |values| values.with("log", log.to_string_lossy()))?;
            if !attempt.outcome.succeeded() {
                return Err(Stop::Skip("this runtime refuses a capability that no kernel has".to_owned()));
            }
            let container = attempt.container()?;
            container.started()?;
            let stderr = container.stderr();
            container.finish_and_delete()?;
            let is_silent = stderr.is_empty() && std::fs::metadata(log).map_or(true, |log| log.len() == 0);
            if is_silent {
                return Err(Stop::Skip("this runtime warns of no capability that cannot be granted".to_owned()));
            }
            out.expect_eq("what the runtime writes to standard error", stderr, "");
            Ok(())
        };
    "compat.exec.cwd/never-made", EXEC, &[Fault::Forget(Op::Exec, "cwd"), Fault::Succeed(Op::Exec)], |lab, out| {
        let container = lab.running(|r| r)?;
        let ended = container.exec_with(|values| plain(values).with("cwd", "/none/such"))?.finish()?.ended;
        out.expect("how exec ends", ended != Ended::Exit(0), "an error: there is no such directory", ended);
        let there = container.ask(Ask::Stat("/none".into()))?;
        out.expect("the directory", there.is_err(), "not made", there);
        container.finish_and_delete()
    };
    "compat.env.twice/the-last-at-create", &[], &[Fault::DropLast("/process/env"), Fault::Drop("/process/env")],
        |lab, out| {
            let container = lab.running(|r| r.set("/process/env", ["PATH=/bin", "A=1", "B=1", "A=2"]))?;
            out.expect_eq("variables A", named(&container.ask(Ask::Environ)?, "A"), ["A=2"]);
            container.finish_and_delete()
        };
    "compat.env.twice/the-option-at-exec", EXEC, &[Fault::Forget(Op::Exec, "env")], |lab, out| {
        let container = lab.running(|r| r.set("/process/env", ["PATH=/bin", "A=1"]))?;
        let mut program = container.exec_with(|values| plain(values).with("env", "A=2"))?;
        program.greeted()?;
        out.expect_eq("variables A", named(&program.ask_all(&[Ask::Environ])?.remove(0), "A"), ["A=2"]);
        program.finish()?.ok()?;
        container.finish_and_delete()
    };
    "compat.kill.signal-0/tests-whether-it-runs", &[], &[Fault::Fail(Op::Kill), Fault::Succeed(Op::Kill)], |lab, out| {
        let container = lab.running(|r| r)?;
        let ask = || container.call(Op::Kill, |values| values.with("signal", "0"));
        out.expect("kill 0 of one that runs", ask()?.succeeded(), "success", "an error");
        out.expect("the container", container.is_alive()?, "keeps running", "its process has ended");
        container.finish()?;
        out.expect("kill 0 of one that has ended", !ask()?.succeeded(), "an error", "success");
        container.delete()?.ok()
    };
    "compat.kill.host-pids/ends-every-process", EXEC, &[Fault::ExecMovedOut], |lab, out| {
        let container = lab.running(|r| r.inherit_namespace("pid"))?;
        let mut added = container.exec_with(plain)?;
        added.greeted()?;
        container.kill(Signal::SIGKILL)?.ok()?;
        container.wait()?;
        // One that is alive ends with success when its input ends.
        let ended = added.finish()?.ended;
        out.expect("how another process ends", ended != Ended::Exit(0), "by the signal", ended);
        container.delete()?.ok()
    };
    "compat.state.members/rootfs-created-owner", &[],
        &[Fault::Lie("/rootfs", "\"/\""), Fault::Lie("/created", "\"\""), Fault::Lie("/owner", "0")], |lab, out| {
            let container = lab.running(|r| r)?;
            let state = container.state()?.0;
            // Some tell it as the configuration does, relative to the bundle.
            let rootfs = state["rootfs"].as_str().map(|path| container.bundle.dir.join(path));
            out.expect_eq("rootfs", rootfs, Some(container.bundle.rootfs()));
            let created = state["created"].as_str().is_some_and(|time| time.starts_with("20") && time.contains('T'));
            out.expect("created", created, "a date with a time", &state["created"]);
            out.expect("owner", state["owner"].is_string(), "a name", &state["owner"]);
            container.finish_and_delete()
        };
};

fn plain(values: Values) -> Values {
    values.with_words("args", &[PATH])
}

fn none_ignored(out: &mut Judgement, answer: &Answer) {
    let none = matches!(answer, Ok(Reply::Signals(signals)) if signals.ignored.is_empty());
    out.expect("ignored signals", none, "none", answer);
}

/// The variables of this name.
fn named(answer: &Answer, name: &str) -> Vec<String> {
    let Ok(Reply::Names(names)) = answer else { return Vec::new() };
    names.iter().filter(|entry| entry.split('=').next() == Some(name)).cloned().collect()
}

/// The processors that a process may use, as the kernel writes them.
fn processors(pid: Pid) -> StepResult<String> {
    Ok(Observation::of(pid)?.status.cpus_allowed)
}

/// Binds this process, which is the runtime's caller, to one processor.
fn narrow() -> StepResult {
    let mut one = CpuSet::new();
    one.set(0)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
}
