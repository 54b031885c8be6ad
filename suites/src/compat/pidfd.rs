//! `--pidfd-socket`: the caller gets a pidfd of the process, which stays valid when pids are reused.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::console::Console;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::StepResult;
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::PATH;

use super::compat;
use super::exec_options::added;

const OPTION: &str = "pidfd-socket";

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.pidfd-socket/create", &[Need::HostView, Need::Option(Op::Create, OPTION)],
        &[Fault::Forget(Op::Create, OPTION)], |lab, out| {
            let socket = socket(lab)?;
            let bundle = lab.bundle(|r| r)?;
            let attempt = lab.try_create_from(&lab.dir, &bundle, |values| at(&socket, values))?;
            let container = attempt.container()?;
            out.expect_eq("the process of the descriptor", socket.receive_process(lab.driver.deadline())?, container.pid.as_raw());
            container.started()?;
            container.finish_and_delete()
        };
    "compat.pidfd-socket/run", &[Need::HostView, Need::Option(Op::Run, OPTION)],
        &[Fault::Forget(Op::Run, OPTION)], |lab, out| {
            let socket = socket(lab)?;
            let bundle = lab.bundle(|r| r.args(&[PATH, "hang"]))?;
            lab.call(Op::Run, &at(&socket, lab.values(&bundle).with("detach", "")))?.ok()?;
            let told = socket.receive_process(lab.driver.deadline())?;
            out.expect_eq("the pid file", lab.named_in(&lab.pid_file(&bundle))?, Some(told.to_string()));
            crate::refusal::discard(lab, &bundle.id)
        };
    "compat.pidfd-socket/exec", &[Need::HostView, Need::Option(Op::Exec, OPTION)],
        &[Fault::Forget(Op::Exec, OPTION)], |lab, out| {
            let (socket, container) = (socket(lab)?, lab.running(|r| r)?);
            let pid = added(lab, &container, |call| at(&socket, call))?;
            out.expect_eq("the process of the descriptor", socket.receive_process(lab.driver.deadline())?, pid.as_raw());
            container.finish_and_delete()
        };
};

fn socket(lab: &Lab<'_>) -> StepResult<Console> {
    Console::bind(&lab.dir.join("pidfd"))
}

fn at(socket: &Console, values: Values) -> Values {
    values.with(OPTION, socket.path().to_string_lossy())
}
