//! Device nodes of the host that a container sees by a bind mount: a program may use them but not change them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Octal;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::Ask;
use plimsoll_reports::model::Axis;

use crate::namespaces::{range, user};
use crate::process::capabilities::{HELD, only};

/// What a container under an engine has of what it takes.
const RIGHTS: &[&str] = &["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"];

const NODES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

macro_rules! kept {
    ($($id:literal, $paths:expr, $edits:expr;)*) => {
        &[$(Scenario::new($id, &[], &[Fault::GiveNullAway], |lab, out| keeps(lab, out, $paths, $edits))
            .axis(Axis::Security)
            .needs(&[Need::HostView])),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = kept! {
    "linux.masked-paths.node-of-the-host/kept", &["/hidden", "/proc/keys"],
        |r| r.file("/hidden", "secret").set("/linux/maskedPaths", ["/hidden", "/proc/keys"]);
    "linux.default-devices.node-of-the-host/kept", &NODES, |r| r;
    "linux.default-devices.node-of-the-host/kept-where-root-is-that-of-the-host", &NODES, |r| user(r, &[range(0, 0, 65_536)]);
};

fn keeps(
    lab: &Lab<'_>,
    out: &mut Judgement,
    paths: &[&str],
    edits: impl FnOnce(&mut Recipe) -> &mut Recipe,
) -> StepResult {
    let before = nodes()?;
    let container = lab.running(|r| only(edits(r), HELD, RIGHTS))?;
    for path in paths {
        // Inside it may work or not.
        let _answer = container.ask(Ask::Chmod { path: (*path).to_owned(), mode: 0o640 })?;
    }
    for (before, (path, mode, owner)) in before.iter().zip(nodes()?) {
        out.expect_eq(
            &format!("mode and owner of {path} on the host"),
            (Octal(mode), owner),
            (Octal(before.1), before.2),
        );
        fs::set_permissions(path, fs::Permissions::from_mode(before.1))?;
    }
    container.finish_and_delete()
}

fn nodes() -> StepResult<Vec<(&'static str, u32, u32)>> {
    let look = |path: &'static str| Ok(fs::metadata(path).map(|found| (path, found.mode() & 0o7777, found.uid()))?);
    NODES.into_iter().map(look).collect()
}
