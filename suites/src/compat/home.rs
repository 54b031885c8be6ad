//! `HOME`: the configured value is used, exactly once, for each way to start a program and for each user.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Answer, Ask, PATH, Reply};
use serde_json::json;

use super::compat;

const ANY: &[Need] = &[];
const EXEC: &[Need] = &[Need::Operation(Op::Exec)];

/// How the program is started.
#[derive(Clone, Copy)]
enum Way {
    Create,
    Exec,
    ExecWithAProcess,
}

const OTHER: &[Fault] = &[Fault::Take("/process/env/1", "\"HOME=/\""), Fault::Push("/process/env", "\"HOME=/other\"")];
const OTHER_AT_EXEC: &[Fault] = &[
    Fault::OfExec(&Fault::Take("/process/env/1", "\"HOME=/\"")),
    Fault::OfExec(&Fault::Push("/process/env", "\"HOME=/other\"")),
];

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.home/create-as-root", ANY, OTHER, |lab, out| kept(lab, out, Way::Create, 0);
    "compat.home/create-as-another-user", ANY, OTHER, |lab, out| kept(lab, out, Way::Create, 1000);
    "compat.home/exec-as-root", EXEC, OTHER_AT_EXEC, |lab, out| kept(lab, out, Way::Exec, 0);
    "compat.home/exec-as-another-user", EXEC, OTHER_AT_EXEC, |lab, out| kept(lab, out, Way::Exec, 1000);
    "compat.home/exec-with-a-process-as-root", EXEC, OTHER_AT_EXEC,
        |lab, out| kept(lab, out, Way::ExecWithAProcess, 0);
    "compat.home/exec-with-a-process-as-another-user", EXEC, OTHER_AT_EXEC,
        |lab, out| kept(lab, out, Way::ExecWithAProcess, 1000);
};

pub(super) const EMPTY: &[Scenario] = compat! {
    "compat.home.empty/is-none", ANY, &[Fault::Take("/process/env/1", "\"HOME=/x\"")], |lab, out| {
        let users = "root:x:0:0::/home/of-root:/bin/sh\n";
        let container = lab.running(|r| r.file("/etc/passwd", users).set("/process/env", ["PATH=/bin", "HOME="]))?;
        out.expect_eq("variables HOME", homes(&container.ask(Ask::Environ)?), ["HOME=/home/of-root"]);
        container.finish_and_delete()
    };
};

fn kept(lab: &Lab<'_>, out: &mut Judgement, way: Way, uid: u32) -> StepResult {
    let env = json!(["PATH=/bin", "HOME=/own/home"]);
    let container =
        lab.running(|r| r.set("/process/env", &env).set("/process/user", json!({ "uid": uid, "gid": uid })))?;
    let mut process = super::process(&[PATH]);
    (process["env"], process["user"]) = (env, json!({ "uid": uid, "gid": uid }));
    let answer = match way {
        Way::Create => container.ask(Ask::Environ)?,
        Way::Exec | Way::ExecWithAProcess => {
            let mut program = match way {
                Way::Exec => container.exec_with(|values| values.with_words("args", &[PATH]))?,
                _ => container.exec(&process)?,
            };
            program.greeted()?;
            let answer = program.ask_all(&[Ask::Environ])?.remove(0);
            program.finish()?.ok()?;
            answer
        }
    };
    out.expect_eq("variables HOME", homes(&answer), ["HOME=/own/home"]);
    container.finish_and_delete()
}

fn homes(answer: &Answer) -> Vec<&str> {
    let names = if let Ok(Reply::Names(names)) = answer { names.as_slice() } else { &[] };
    names.iter().map(String::as_str).filter(|name| name.starts_with("HOME=")).collect()
}
