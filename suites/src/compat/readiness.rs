//! Containers as services, see sd_notify(3): the caller gives a socket in `NOTIFY_SOCKET`, and is notified there when the program is ready,
//! with its pid.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;

use super::compat;

const FORGETFUL: &[Fault] = &[Fault::Forget(Op::Create, "notify"), Fault::Forget(Op::Start, "notify")];

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.notify/readiness-is-forwarded", &[Need::HostView], FORGETFUL, |lab, out| {
        let manager = lab.manager()?;
        let bundle = lab.bundle(|r| r)?;
        let attempt = lab.try_create_from(&lab.dir, &bundle, |values| manager.calls(values))?;
        let container = attempt.container()?;
        let (outcome, said) = container.start_by(&manager)?;
        outcome.ok()?;
        container.greeted()?;
        let said: Vec<&str> = said.iter().flat_map(|said| said.lines()).collect();
        out.expect("messages to the manager", said.contains(&"READY=1"), "READY=1", &said);
        let number = format!("MAINPID={}", container.pid);
        out.expect("MAINPID", said.contains(&&*number), &number, &said);
        container.finish_and_delete()
    };
};
