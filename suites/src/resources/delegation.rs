//! The border that a cgroup namespace is where version 2 is mounted with `nsdelegate`, as systemd does: from within, nobody
//! lifts the limits of the group at its root. The option is that of the whole host, and not the runtime's to take away
//! (`config-linux.md#namespaces`, `#cgroup-ownership`).

use plimsoll_engine::cgroup;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Refused};
use plimsoll_reports::model::Axis;

use super::pids::{LIMIT_AT, MAX};

const NEEDS: &[Need] =
    &[Need::HostView, Need::UnifiedAlone, Need::Nsdelegate, Need::Namespace("cgroup"), Need::Knob(MAX)];

/// One run, since the second act may take away what the first one needs.
pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "resources.delegation/limit-and-options-of-the-host-stay",
    &["linux.namespaces.type-cgroup"],
    &[Fault::DropLast("/linux/namespaces"), Fault::Drop("/linux/resources/pids"), Fault::DropGroupOptions],
    |lab, out| {
        let before = cgroup::options()?.unwrap_or_default();
        let judged = limit(lab, out).and_then(|()| options(lab, out, &before));
        restore(lab, &before)?;
        judged
    },
)
.axis(Axis::Security)
.needs(NEEDS)];

fn limited(recipe: &mut Recipe) -> &mut Recipe {
    recipe.set(LIMIT_AT, 77).mount("/sys/fs/cgroup", "cgroup", "cgroup", &["nosuid", "noexec", "nodev"])
}

/// Root of a container writes to the limit of its own group.
fn limit(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let container = lab.running(|r| limited(r.new_namespace("cgroup")))?;
    let lifted = container.ask(Ask::Write { path: "/sys/fs/cgroup/pids.max".into(), data: "max".into() })?;
    let denied = lifted.as_ref().is_err_and(Refused::is_denial);
    out.expect("lifting the own limit", denied, "denied", lifted);
    out.expect_eq("pids.max", container.knob_value(&MAX)?.map(|held| held.text), Ok("77".to_owned()));
    container.finish_and_delete()
}

/// A container that shares the cgroup namespace of the host mounts version 2.
fn options(lab: &Lab<'_>, out: &mut Judgement, before: &[String]) -> StepResult {
    let container = lab.running(limited)?;
    out.expect_eq("options of cgroup version 2 on the host", cgroup::options()?.unwrap_or_default(), before);
    container.finish_and_delete()
}

/// Gives the host what a faulty runtime has taken from it.
fn restore(lab: &Lab<'_>, before: &[String]) -> StepResult {
    if cgroup::options()?.unwrap_or_default() == before {
        return Ok(());
    }
    let place = lab.dir.join("restored");
    std::fs::create_dir(&place)?;
    cgroup::set_options(&place, before).map_err(Stop::error("give the host its options back"))
}
