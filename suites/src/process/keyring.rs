//! Keys of the kernel: no namespace keeps those of the runtime's caller from the program, only a session keyring of its own.

use nix::libc;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Stop;
use plimsoll_engine::profile::Op;
use plimsoll_engine::sys;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_reports::model::Axis;

/// `KEY_SPEC_SESSION_KEYRING`: the one of who asks.
const OWN_SESSION: i64 = -3;

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "process.keyring.session/not-that-of-the-caller",
    &["runtime.operations.cli-not-specified"],
    &[Fault::Amend(Op::Create, &["--no-new-keyring"])],
    |lab, out| {
        let own = sys::join_session_keyring().map_err(|why| {
            Stop::Skip(format!("no session keyring to be had ({why}): run where keyctl(2) is allowed"))
        })?;
        let container = lab.running(|r| r)?;
        let arguments = vec![u64::from(libc::KEYCTL_GET_KEYRING_ID), OWN_SESSION.cast_unsigned(), 0];
        let found = container.ask(Ask::Syscall { number: libc::SYS_keyctl, arguments })?;
        // A kernel of its own may know no keys.
        out.expect(
            "session keyring of the program",
            found != Ok(Reply::Count(own)),
            "another than the caller's",
            found,
        );
        container.finish_and_delete()
    },
)
.axis(Axis::Security)];
