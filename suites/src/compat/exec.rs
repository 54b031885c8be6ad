//! `exec`: adds a program to a running container. `process.exec` applies the rules for programs.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::foreground::Foreground;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_engine::process::Ended;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::{Ask, PATH};
use serde_json::{Value, json};

use super::inherit::{self, plain};
use super::{compat, nobody, process};

const EXEC: &[Need] = &[Need::Operation(Op::Exec)];
const SEEN: &[Need] = &[Need::Operation(Op::Exec), Need::HostView];

/// The container's init process and a program of exec, as the host sees both.
fn side_by_side(lab: &Lab<'_>, judge: impl FnOnce(&Observation, &Observation)) -> StepResult {
    inherit::side_by_side(lab, |r| r.new_namespace("network"), judge)
}

pub(super) const MISPLACED: &[Scenario] = compat! {
    "compat.exec.place/cgroups", SEEN, &[Fault::ExecMovedOut, Fault::ExecOutside], |lab, out| {
        side_by_side(lab, |first, added| {
            let paths = |seen: &Observation| seen.cgroups.iter().map(|group| group.path.clone()).collect::<Vec<_>>();
            out.expect_eq("control groups", paths(added), paths(first));
        })
    };
    "compat.exec.place/namespaces", SEEN, &[Fault::ExecOutside], |lab, out| {
        side_by_side(lab, |first, added| {
            for (kind, namespace) in &first.namespaces {
                let own = added.namespace(kind);
                out.expect_eq(&format!("{kind} namespace"), own, first.namespace(kind));
                out.expect(&format!("{kind} namespace"), own.is_some(), namespace.describe(), own);
            }
        })
    };
    "compat.exec.place/root", SEEN, &[Fault::ExecOutside], |lab, out| {
        side_by_side(lab, |first, added| out.expect_eq("mounts", &added.mounts, &first.mounts))
    };
    "compat.exec.privileges/no-more-than-the-container", SEEN,
        &[Fault::Amend(Op::Exec, &["--cap", "CAP_SYS_TIME"]), Fault::ExecOutside], |lab, out| {
            side_by_side(lab, |first, added| {
                let (first, added) = (&first.status, &added.status);
                let more = added.capabilities.effective & !first.capabilities.effective;
                out.expect_eq("further effective capabilities", more, 0);
                out.expect_eq("further bounding ones", added.capabilities.bounding & !first.capabilities.bounding, 0);
                out.expect_eq("no_new_privs", added.no_new_privs, first.no_new_privs);
                out.expect_eq("user and groups", (&added.uids, &added.groups), (&first.uids, &first.groups));
            })
        };
};

/// A program of exec is asked one thing, with these options.
fn asked(lab: &Lab<'_>, options: fn(Values) -> Values, ask: Ask, judge: impl FnOnce(&Value)) -> StepResult {
    let container = lab.running(|r| r.directory("/work").set("/process/env", ["PATH=/bin", "OWN=1"]))?;
    judge(&answer(container.exec_with(|values| options(plain(values)))?, ask)?);
    container.finish_and_delete()
}

/// What a program of exec answers; it ends afterwards.
fn answer(mut program: Foreground<'_>, ask: Ask) -> StepResult<Value> {
    program.greeted()?;
    let answer = json!(program.ask_all(&[ask])?.pop());
    program.finish()?.ok()?;
    Ok(answer)
}

/// The variables of this name.
fn of_name(answer: &Value, name: &str) -> Vec<String> {
    let names = answer["Ok"]["names"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
    names.filter(|variable| variable.split('=').next() == Some(name)).map(str::to_owned).collect()
}

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.exec.options/env-adds-to-that-of-the-container", EXEC,
        &[Fault::Ignore(Op::Exec), Fault::DropLast("/process/env")],
        |lab, out| asked(lab, |values| values.with("env", "MORE=2"), Ask::Environ, |answer| {
            out.expect_eq("variables OWN", of_name(answer, "OWN"), ["OWN=1"]);
            out.expect_eq("variables MORE", of_name(answer, "MORE"), ["MORE=2"]);
        });
    "compat.exec.options/cwd", EXEC, &[Fault::Ignore(Op::Exec)],
        |lab, out| asked(lab, |values| values.with("cwd", "/work"), Ask::Cwd, |answer| {
            out.expect_eq("current directory", &answer["Ok"]["text"], "/work");
        });
    "compat.exec.options/user", EXEC, &[Fault::Ignore(Op::Exec)],
        |lab, out| asked(lab, |values| values.with("user", "1000:1001"), Ask::Ids, |answer| {
            out.expect_eq("users", &answer["Ok"]["ids"]["uids"], &json!([1000, 1000, 1000]));
            out.expect_eq("groups", &answer["Ok"]["ids"]["gids"], &json!([1001, 1001, 1001]));
        });
    "compat.exec.home/that-of-the-process", EXEC, &[Fault::Take("/process/env/1", "\"HOME=/x\"")], |lab, out| {
        let container = lab.running(|r| r)?;
        let mut homely = process(&[PATH]);
        homely["env"] = json!(["PATH=/bin", "HOME=/home/own"]);
        let answer = answer(container.exec(&homely)?, Ask::Environ)?;
        out.expect_eq("variables HOME", of_name(&answer, "HOME"), ["HOME=/home/own"]);
        container.finish_and_delete()
    };
    "compat.exec.refused/unknown-container", EXEC, &[Fault::Succeed(Op::Exec), Fault::Ignore(Op::Exec)], |lab, out| {
        crate::refusal::of(lab, out, "exec in no container", || lab.call(Op::Exec, &plain(nobody(lab))))
    };
    "compat.exec.refused/no-arguments", EXEC, &[Fault::Succeed(Op::Exec)], |lab, out| {
        let container = lab.running(|r| r)?;
        crate::refusal::leaves(&container, lab, out, "exec of nothing", || container.call(Op::Exec, |values| values))?;
        container.finish_and_delete()
    };
    "compat.exec.refused/created-container", EXEC, &[Fault::EagerStart], |lab, out| {
        // Some runtimes let programs into a container that is not started yet. Either way it is still to be started.
        let container = lab.created(|r| r)?;
        let _outcome = container.exec(&process(&[PATH]))?.finish()?;
        out.expect_eq("status", container.state()?.status(), "created");
        out.expect("the program", !container.has_spoken(), "not started", "it has spoken");
        container.started()?;
        container.finish_and_delete()
    };
    "compat.exec.failure-code/is-not-that-of-a-program", EXEC, &[Fault::Fail(Op::Exec), Fault::Succeed(Op::Exec)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            let ended = |args: &[&str]| -> StepResult<Ended> { Ok(container.exec(&process(args))?.finish()?.ended) };
            out.expect_eq("how a program ends that is there", ended(&[PATH, "exit=0"])?, Ended::Exit(0));
            let missing = ended(&["/no/such/program"])?;
            out.expect("how exec ends without its program", missing != Ended::Exit(0), "an error", missing);
            container.finish_and_delete()
        };
    "compat.exec.lifetime/shorter-than-the-container", EXEC, &[Fault::Ignore(Op::Exec)], |lab, out| several(lab, out, 2);
    "compat.exec.lifetime/many-at-once", EXEC, &[Fault::Flaky(Op::Exec, 1), Fault::Flaky(Op::Exec, 0)],
        |lab, out| several(lab, out, 6);
};

/// Several programs run in the container at the same time, each as its own process, and it outlives them.
fn several(lab: &Lab<'_>, out: &mut Judgement, count: usize) -> StepResult {
    let container = lab.running(|r| r)?;
    let mut programs = (0..count).map(|_| container.exec(&process(&[PATH]))).collect::<StepResult<Vec<_>>>()?;
    let pids = programs.iter_mut().map(|program| Ok(program.greeted()?.pid)).collect::<StepResult<Vec<_>>>()?;
    let distinct: std::collections::BTreeSet<i32> = pids.iter().copied().collect();
    out.expect_eq("processes", distinct.len(), count);
    programs.into_iter().try_for_each(|program| program.finish()?.ok())?;
    out.expect("the container", container.is_alive()?, "keeps running", "its process has ended");
    out.expect_eq("its status", container.state()?.status(), "running");
    container.finish_and_delete()
}
