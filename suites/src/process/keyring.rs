//! Keys of the kernel: no namespace keeps those of the runtime's caller from the program, only a session keyring of its own.

use nix::libc;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_engine::sys;
use plimsoll_fixtures::probe::{Answer, Ask, Reply};
use plimsoll_reports::model::Axis;

/// `KEY_SPEC_SESSION_KEYRING`: the one of who asks.
const OWN_SESSION: i64 = -3;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "process.keyring.session/not-that-of-the-caller",
        &[],
        &[Fault::Amend(Op::Create, &["--no-new-keyring"])],
        |lab, out| {
            let own = caller()?;
            let container = lab.running(|r| r)?;
            judge(out, own, container.ask(which())?);
            container.finish_and_delete()
        },
    )
    .axis(Axis::Security),
    Scenario::new("process.keyring.session/of-exec", &[], &[Fault::ExecOutside], |lab, out| {
        let own = caller()?;
        let container = lab.running(|r| r)?;
        let mut added = container.exec(&container.bundle.config.0["process"])?;
        added.greeted()?;
        let found = added.ask_all(&[which()])?.remove(0);
        judge(out, own, found);
        added.finish()?.ok()?;
        container.finish_and_delete()
    })
    .axis(Axis::Security)
    .needs(&[Need::Operation(Op::Exec)]),
];

/// A session keyring for this process, which calls the runtime: its number.
fn caller() -> StepResult<i64> {
    sys::join_session_keyring()
        .map_err(|why| Stop::Skip(format!("no session keyring to be had ({why}): run where keyctl(2) is allowed")))
}

fn which() -> Ask {
    let arguments = vec![u64::from(libc::KEYCTL_GET_KEYRING_ID), OWN_SESSION.cast_unsigned(), 0];
    Ask::Syscall { number: libc::SYS_keyctl, arguments }
}

/// A kernel of its own may know no keys.
fn judge(out: &mut Judgement, own: i64, found: Answer) {
    let what = "session keyring of the program";
    match found {
        Ok(Reply::Count(id)) => {
            let whose = if id == own { "the caller's" } else { "another" };
            out.expect(what, id != own, "another than the caller's", whose);
        }
        other => out.expect(what, true, "another than the caller's", other),
    }
}
