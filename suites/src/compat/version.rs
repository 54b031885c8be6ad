//! `--version`, which containerd, Docker and podman show to their users.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::profile::{Op, Values};

use super::compat;

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.version/names-the-runtime", &[],
        &[Fault::Ignore(Op::Version), Fault::Fail(Op::Version), Fault::Hang(Op::Version)], |lab, out| {
        let called = lab.call(Op::Version, &Values::default())?;
        out.expect("--version", called.succeeded(), "success: exit 0", called.ended);
        let first = called.stdout.lines().next().unwrap_or_default();
        let is_one = first.chars().any(char::is_alphabetic) && first.chars().any(|c| c.is_ascii_digit());
        out.expect("the first line on standard output", is_one, "a name and a version", first);
        Ok(())
    };
};
