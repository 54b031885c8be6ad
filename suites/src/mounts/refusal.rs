//! Entries that a runtime must refuse. Each is compared with one that differs only in the invalid property and works.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use serde_json::json;

/// Expects `good` to make a container and `bad` to be refused with nothing left of it.
pub(super) fn refuses(
    lab: &Lab<'_>,
    out: &mut Judgement,
    good: fn(&mut Recipe) -> &mut Recipe,
    bad: fn(&mut Recipe) -> &mut Recipe,
) -> StepResult {
    lab.running(good)?.finish_and_delete()?;
    let bundle = lab.bundle(bad)?;
    lab.try_create(&bundle)?.outcome.refused()?;
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect("state after the refused create", !state.succeeded(), "an error", state.said());
    Ok(())
}

const IGNORED: &[Fault] = &[Fault::Drop("/mounts/6"), Fault::Succeed(Op::Create)];

/// A scenario of refusal.
macro_rules! refusal {
    ($id:literal, $cites:expr, $good:expr, $bad:expr) => {
        Scenario::new($id, $cites, IGNORED, |lab, out| refuses(lab, out, $good, $bad))
    };
}

pub(super) const SCENARIOS: &[Scenario] = &[
    refusal!(
        "mounts.data/unknown-to-the-filesystem-is-refused",
        &["config.mounts.options.unknown-as-fs-data"],
        |r| r.mount("/m", "tmpfs", "tmpfs", &["size=64k"]),
        |r| r.mount("/m", "tmpfs", "tmpfs", &["plimsoll=64k"])
    ),
    refusal!(
        "mounts.data/bad-value-is-refused",
        &["config.mounts.options.unknown-as-fs-data"],
        |r| r.mount("/m", "tmpfs", "tmpfs", &["size=64k"]),
        |r| r.mount("/m", "tmpfs", "tmpfs", &["size=plimsoll"])
    ),
    refusal!(
        "mounts.type/unknown-filesystem-is-refused",
        &["config.mounts.type-kernel-filesystem"],
        |r| r.mount("/m", "tmpfs", "tmpfs", &[]),
        |r| r.mount("/m", "plimsoll", "tmpfs", &[])
    ),
    refusal!(
        "mounts.destination/absent-is-refused",
        &["config.mounts.destination-required", "config.values.invalid-error"],
        |r| r.push("/mounts", json!({ "destination": "/m", "type": "tmpfs", "source": "tmpfs" })),
        |r| r.push("/mounts", json!({ "type": "tmpfs", "source": "tmpfs" }))
    ),
    refusal!(
        "mounts.destination/directory-over-file-is-refused",
        &["config.mounts.parameters-per-mount2"],
        |r| r.directory_beside("data").directory("/m").mount("/m", "none", "{bundle}/data", &["bind"]),
        |r| r.directory_beside("data").file("/m", "").mount("/m", "none", "{bundle}/data", &["bind"])
    ),
];
