//! Features that the document claims: each is tried. What is not claimed is not tested.

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::network::Stack;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use serde_json::{Value, json};

use super::{document, said};
use crate::process::selinux::PROGRAM;
use crate::seccomp::filter::{SECCOMP, with_rule};

const PROFILE: &str = "plimsoll-confined";

/// One scenario a row: clause, where the claim is, needs, the fault that makes it false, a configuration that uses the
/// part, and whether the container has it.
macro_rules! claimed {
    ($($id:literal, $clause:literal, $at:literal, $needs:expr, $fault:expr, $edits:expr, $has:expr;)*) => {
        &[$(Scenario::new(concat!("features.claims/", $id), &[concat!("features.", $clause)], &[$fault], |lab, out| {
            claimed(lab, $at)?;
            let container = lab.running($edits)?;
            let has: fn(&Container<'_>) -> StepResult<bool> = $has;
            out.expect($at, has(&container)?, "true, and so it is", "it is not");
            container.finish_and_delete()
        }).needs($needs)),*]
    };
}

/// Goes on when the document says so.
fn claimed(lab: &Lab<'_>, pointer: &str) -> StepResult {
    match said(&document(lab)?, pointer)? {
        Value::Bool(true) => Ok(()),
        _ => Err(Stop::Skip(format!("features of this runtime do not claim {pointer}"))),
    }
}

fn filtered(recipe: &mut Recipe) -> &mut Recipe {
    recipe.set(SECCOMP, with_rule(&json!({ "names": ["readahead"], "action": "SCMP_ACT_ERRNO" })))
}

/// Whether the container's group of this controller has the limit, in a hierarchy of that version.
fn limited(container: &Container<'_>, v2: bool) -> StepResult<bool> {
    let seen = container.observe()?;
    let group = seen.cgroup("pids").filter(|group| group.v2 == v2);
    let version = if v2 { 2 } else { 1 };
    let group =
        group.ok_or_else(|| Stop::Skip(format!("no pids controller of cgroup version {version} is mounted")))?;
    Ok(group.read("pids.max").is_ok_and(|limit| limit.trim() == "77"))
}

const PIDS_OF_1: &[Need] = &[Need::HostView, Need::Knob(Knob { controller: "pids", v1: "pids.max", v2: "" })];
const PIDS_OF_2: &[Need] = &[Need::HostView, Need::Knob(Knob { controller: "pids", v1: "", v2: "pids.max" })];
const LIMIT: Fault = Fault::Drop("/linux/resources/pids");

pub(super) const SCENARIOS: &[Scenario] = claimed! {
    "seccomp", "linux.seccomp-enabled", "/linux/seccomp/enabled", &[Need::HostView], Fault::Drop(SECCOMP), filtered,
        |container| Ok(container.observe()?.status.seccomp == Some(2));
    "apparmor", "linux.apparmor-enabled", "/linux/apparmor/enabled", &[Need::HostView, Need::ApparmorProfile(PROFILE)],
        Fault::Drop("/process/apparmorProfile"), |r| r.set("/process/apparmorProfile", PROFILE),
        |container| Ok(container.observe()?.lsm_label.is_some_and(|label| label.starts_with(PROFILE)));
    "selinux", "linux.selinux-enabled", "/linux/selinux/enabled", &[Need::HostView, Need::SelinuxContext(PROGRAM)],
        Fault::Drop("/process/selinuxLabel"), |r| r.set("/process/selinuxLabel", PROGRAM),
        |container| Ok(container.observe()?.lsm_label.as_deref() == Some(PROGRAM));
    "cgroup-v1", "linux.cgroup-meaning", "/linux/cgroup/v1", PIDS_OF_1, LIMIT,
        |r| r.set("/linux/resources/pids/limit", 77), |container| limited(container, false);
    "cgroup-v2", "linux.cgroup-meaning", "/linux/cgroup/v2", PIDS_OF_2, LIMIT,
        |r| r.set("/linux/resources/pids/limit", 77), |container| limited(container, true);
};

pub(super) const REST: &[Scenario] = &[
    Scenario::new(
        "features.claims/net-devices",
        &["features.linux.net-devices-enabled"],
        &[Fault::Drop("/linux/netDevices")],
        |lab, out| {
            claimed(lab, "/linux/netDevices/enabled")?;
            let host = lab.network()?;
            host.add("plimsoll0")?;
            let devices = json!({ "plimsoll0": {} });
            let container = lab.running(|r| r.new_namespace("network").set("/linux/netDevices", devices))?;
            let inside = Stack::at(&plimsoll_engine::namespace_holder::path(container.pid, "network"))?;
            out.expect("the device", inside.device("plimsoll0").is_ok(), "in the container", inside.names()?);
            container.finish_and_delete()
        },
    )
    .needs(&[Need::HostView, Need::Capability("CAP_NET_ADMIN")]),
    Scenario::new(
        "features.claims/idmap",
        &["features.linux.idmap-enabled-meaning"],
        &[Fault::Fail(Op::Create), Fault::Fail(Op::Start)],
        |lab, out| {
            claimed(lab, "/linux/mountExtensions/idmap/enabled")?;
            super::values::used(lab, out, "idmap", |r| super::values::mounted(r, "idmap", "/m"))
        },
    )
    .needs(&[Need::Kernel(6, 3)]),
    Scenario::new(
        "features.capabilities/well-formed-names",
        &["schema.features.capability-pattern"],
        &[Fault::Misreport(Op::Features, "/linux/capabilities", "[\"chown\"]")],
        well_formed,
    ),
];

fn well_formed(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let document = document(lab)?;
    let listed = said(&document, "/linux/capabilities")?.as_array();
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let is_wrong = |name: &&Value| !name.as_str().and_then(|name| name.strip_prefix("CAP_")).is_some_and(plain);
    let wrong: Vec<&Value> = listed.into_iter().flatten().filter(is_wrong).collect();
    out.expect("names of capabilities", listed.is_some() && wrong.is_empty(), "CAP_ and capitals", wrong);
    Ok(())
}
