//! A namespace that is listed with a path: the process joins it, and it outlives the container.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::{FIRST_ID, IDS, kernel_name, path};
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::Ask;
use serde_json::json;

use super::{LIST, range};

/// One scenario a type: its name in `/proc/PID/ns`, the place of its entry in the list, further edits.
macro_rules! joined {
    ($($kind:literal, $name:literal, $path:literal, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("namespaces.joined/", $kind),
            &["linux.namespaces.path-joined"],
            &[Fault::Drop($path), Fault::DropLast(LIST)],
            |lab, out| joins(lab, out, $kind, $edits),
        ).needs(&[Need::HostView, Need::Namespace($name)])),*]
    };
}

pub(super) const TYPES: &[Scenario] = joined! {
    "pid", "pid", "/linux/namespaces/3/path", |r| r;
    "network", "net", "/linux/namespaces/4/path", |r| r;
    "mount", "mnt", "/linux/namespaces/3/path", |r| r;
    "ipc", "ipc", "/linux/namespaces/3/path", |r| r;
    "uts", "uts", "/linux/namespaces/3/path", |r| r;
    "user", "user", "/linux/namespaces/5/path", |r| {
        let ranges = [range(0, FIRST_ID, IDS)];
        r.new_namespace("network").set("/linux/uidMappings", &ranges).set("/linux/gidMappings", &ranges)
    };
    "cgroup", "cgroup", "/linux/namespaces/4/path", |r| r;
    "time", "time", "/linux/namespaces/4/path", |r| r;
};

pub(super) const SCENARIOS: &[Scenario] = &[OF_A_CONTAINER, PROCESSES_OF_A_CONTAINER, OF_TWO_OWNERS];

fn joins(lab: &Lab<'_>, out: &mut Judgement, kind: &str, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult {
    if kind == "time" {
        super::clocks::supported(lab)?;
    }
    let holder = lab.hold_namespace(kind)?;
    let held = holder.observe()?.namespace(kernel_name(kind));
    let entry = json!({ "type": kind, "path": holder.path(kind) });
    let container = lab.running(|r| edits(r.inherit_namespace(kind)).push(LIST, entry))?;
    out.expect_eq(kind, container.observe()?.namespace(kernel_name(kind)), held);
    container.finish_and_delete()?;
    out.expect_eq("the joined namespace after delete", holder.observe()?.namespace(kernel_name(kind)), held);
    Ok(())
}

/// What a pod does: later containers join the namespaces of the first.
const OF_A_CONTAINER: Scenario = Scenario::new(
    "namespaces.joined/of-another-container",
    &["linux.namespaces.path-joined"],
    &[Fault::Drop("/linux/namespaces/0/path"), Fault::Drop("/linux/namespaces/2/path")],
    |lab, out| {
        let kinds = ["network", "ipc", "uts"];
        let first = lab.running(|r| r.new_namespace("network").set("/hostname", "first"))?;
        let entries = kinds.map(|kind| json!({ "type": kind, "path": path(first.pid, kind) }));
        let own = [json!({ "type": "mount" }), json!({ "type": "pid" })];
        let second = lab.running(|r| r.set(LIST, [&entries[..], &own].concat()))?;
        let (one, other) = (first.observe()?, second.observe()?);
        for name in kinds.map(kernel_name) {
            out.expect_eq(name, other.namespace(name), one.namespace(name));
        }
        for name in ["mnt", "pid"] {
            out.expect(name, other.namespace(name) != one.namespace(name), "its own", other.namespace(name));
        }
        second.finish_and_delete()?;
        out.expect("the first container after the end of the second", first.is_alive()?, "alive", "it has ended");
        first.finish_and_delete()
    },
)
.needs(&[Need::HostView]);

const PROCESSES_OF_A_CONTAINER: Scenario = Scenario::new(
    "namespaces.joined/pid-of-another-container",
    &["linux.namespaces.path-joined", "linux.namespaces.type-pid"],
    &[Fault::Drop("/linux/namespaces/3/path")],
    |lab, out| {
        let first = lab.running(|r| r)?;
        let entry = json!({ "type": "pid", "path": path(first.pid, "pid") });
        let second = lab.running(|r| r.inherit_namespace("pid").push(LIST, entry))?;
        let number = second.observe()?.status.nspid.last().copied();
        let read = second.ask(Ask::Readlink("/proc/1/exe".into()))?;
        out.expect("process 1 as the second container sees it", read.is_ok(), "the first program", read);
        out.expect("number of the second program", number.is_some_and(|number| number > 1), "greater than 1", number);
        second.kill(nix::sys::signal::Signal::SIGKILL)?.ok()?;
        second.wait()?;
        second.delete()?.ok()?;
        out.expect("the first container after the end of the second", first.is_alive()?, "alive", "it has ended");
        first.finish_and_delete()
    },
)
.needs(&[Need::HostView]);

/// What an engine does for a container with mapped users in the network of a pod that has none: a sysfs cannot be mounted there.
const OF_TWO_OWNERS: Scenario = Scenario::new(
    "namespaces.joined/user-and-a-network-of-the-host",
    &["linux.namespaces.path-joined"],
    &[Fault::Drop("/linux/namespaces/4/path"), Fault::Drop("/linux/namespaces/5/path")],
    |lab, out| {
        let holders = [("network", lab.hold_namespace("network")?), ("user", lab.hold_namespace("user")?)];
        let container = lab.running(|r| {
            let ranges = [range(0, FIRST_ID, IDS)];
            let sys = json!({ "destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "ro"] });
            let r = r.set("/mounts/5", sys).set("/linux/uidMappings", &ranges).set("/linux/gidMappings", &ranges);
            holders.iter().fold(r, |r, (kind, holder)| r.push(LIST, json!({ "type": kind, "path": holder.path(kind) })))
        })?;
        let observed = container.observe()?;
        for (kind, holder) in &holders {
            let held = holder.observe()?.namespace(kernel_name(kind));
            out.expect_eq(kind, observed.namespace(kernel_name(kind)), held);
        }
        container.finish_and_delete()
    },
)
.needs(&[Need::HostView, Need::Namespace("user"), Need::Namespace("net")]);
