//! `update` changes nothing that is not given: every limit of the container is compared before and after.

use std::collections::BTreeMap;

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use serde_json::{Value, json};

use super::compat;
use super::update::update;
use crate::refusal;

const fn knob(controller: &'static str, v1: &'static str, v2: &'static str) -> Knob {
    Knob { controller, v1, v2 }
}

const PIDS: Knob = Knob::of_both("pids", "pids.max");
const MEMORY: Knob = knob("memory", "memory.limit_in_bytes", "memory.max");
const SOFT: Knob = knob("memory", "memory.soft_limit_in_bytes", "memory.low");
const SHARES: Knob = knob("cpu", "cpu.shares", "cpu.weight");
const QUOTA: Knob = knob("cpu", "cpu.cfs_quota_us", "cpu.max");
const PERIOD: Knob = knob("cpu", "cpu.cfs_period_us", "cpu.max");
const CPUS: Knob = Knob::of_both("cpuset", "cpuset.cpus");

/// Everything that can be limited, by the names of its files.
const ALL: &[Knob] = &[
    PIDS,
    MEMORY,
    SOFT,
    SHARES,
    QUOTA,
    PERIOD,
    CPUS,
    Knob::of_both("cpuset", "cpuset.mems"),
    knob("cpu", "cpu.cfs_burst_us", "cpu.max.burst"),
    Knob::of_both("cpu", "cpu.idle"),
    knob("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"),
    knob("memory", "memory.swappiness", "memory.high"),
    knob("memory", "memory.use_hierarchy", "memory.min"),
    knob("blkio", "blkio.bfq.weight", "io.bfq.weight"),
    knob("blkio", "blkio.throttle.read_bps_device", "io.max"),
    knob("devices", "devices.list", "cgroup.max.depth"),
    knob("freezer", "freezer.state", "cgroup.freeze"),
];

fn all(container: &Container<'_>) -> StepResult<BTreeMap<&'static str, String>> {
    let mut found = BTreeMap::new();
    for knob in ALL {
        // What this kernel lacks changes no more than what it has.
        found.insert(knob.name(), container.knob_value(knob)?.map_or_else(|why| why, |held| held.text));
    }
    Ok(found)
}

/// A container with limits of each kind; an update of one changes that, and nothing else.
fn changes(lab: &Lab<'_>, out: &mut Judgement, named: &[&Knob], after: &Value) -> StepResult {
    let before = json!({
        "pids": { "limit": 77 },
        "memory": { "limit": 64 << 20, "reservation": 32 << 20 },
        "cpu": { "shares": 512, "quota": 50_000, "period": 100_000, "cpus": "0-1" }
    });
    let container = lab.running(|r| r.set("/linux/resources", before))?;
    let old = all(&container)?;
    update(lab, &container, after)?.ok()?;
    let new = all(&container)?;
    let mut files: Vec<&str> = named.iter().map(|knob| knob.name()).collect();
    if files.contains(&QUOTA.name()) || files.contains(&PERIOD.name()) {
        // In version 2 both are in one file.
        files.extend(
            container
                .knob_value(&QUOTA)?
                .is_ok_and(|held| held.text.contains(' '))
                .then_some([QUOTA.name(), PERIOD.name()])
                .into_iter()
                .flatten(),
        );
    }
    for (file, text) in &old {
        let same = new.get(file) == Some(text);
        let wanted = if files.contains(file) { "another value" } else { "as before" };
        out.expect(file, same != files.contains(file), format!("{wanted}: {text}"), new.get(file));
    }
    container.finish_and_delete()
}

const ANY: &[Need] = &[
    Need::Operation(Op::Update),
    Need::HostView,
    Need::Knob(PIDS),
    Need::Knob(MEMORY),
    Need::Knob(SHARES),
    Need::Knob(CPUS),
    Need::Processors(2),
];

/// The faulty runtimes of a row: it forgets what is named, or changes another limit as well.
macro_rules! also {
    ($($pointer:literal => $value:literal),+) => {
        &[Fault::Ignore(Op::Update), $(Fault::Misupdate($pointer, $value)),+]
    };
}

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.update.nothing-else/pids", ANY, also!("/memory" => r#"{"limit":100663296}"#, "/cpu" => r#"{"shares":2048}"#),
        |lab, out| changes(lab, out, &[&PIDS], &json!({ "pids": { "limit": 99 } }));
    "compat.update.nothing-else/memory", ANY, also!("/pids" => r#"{"limit":-1}"#, "/memory/reservation" => "16777216"),
        |lab, out| changes(lab, out, &[&MEMORY], &json!({ "memory": { "limit": 96 << 20 } }));
    "compat.update.nothing-else/memory-reservation", ANY, also!("/pids" => r#"{"limit":78}"#, "/memory/limit" => "100663296"),
        |lab, out| changes(lab, out, &[&SOFT], &json!({ "memory": { "reservation": 16 << 20 } }));
    "compat.update.nothing-else/shares", ANY, also!("/cpu/quota" => "60000", "/cpu/period" => "90000"),
        |lab, out| changes(lab, out, &[&SHARES], &json!({ "cpu": { "shares": 2048 } }));
    "compat.update.nothing-else/quota", ANY, also!("/cpu/shares" => "1024", "/cpu/cpus" => "\"0\""),
        |lab, out| changes(lab, out, &[&QUOTA], &json!({ "cpu": { "quota": 60_000 } }));
    "compat.update.nothing-else/period", ANY, also!("/cpu/shares" => "1024", "/pids" => r#"{"limit":78}"#),
        |lab, out| changes(lab, out, &[&PERIOD], &json!({ "cpu": { "period": 200_000 } }));
    "compat.update.nothing-else/processors", ANY, also!("/cpu/shares" => "1024", "/cpu/quota" => "60000"),
        |lab, out| changes(lab, out, &[&CPUS], &json!({ "cpu": { "cpus": "1" } }));
    "compat.update.nothing-else/several", ANY, also!("/cpu/quota" => "60000", "/memory/reservation" => "16777216"),
        |lab, out| {
            let after = json!({ "pids": { "limit": 99 }, "memory": { "limit": 96 << 20 }, "cpu": { "shares": 2048 } });
            changes(lab, out, &[&PIDS, &MEMORY, &SHARES], &after)
        };
    "compat.update.nothing-else/no-limit-any-more", ANY, also!("/cpu/shares" => "1024", "/memory" => r#"{"reservation":16777216}"#),
        |lab, out| {
            let after = json!({ "pids": { "limit": -1 }, "cpu": { "quota": -1 } });
            changes(lab, out, &[&PIDS, &QUOTA], &after)
        };
};

pub(super) const REFUSED: &[Scenario] = &[Scenario::new(
    "compat.update.refused/processor-that-is-not-there",
    super::UNSPECIFIED,
    &[Fault::Succeed(Op::Update), Fault::Ignore(Op::Update)],
    |lab, out| {
        let container = lab.running(|r| r.set("/linux/resources", json!({ "cpu": { "cpus": "0" } })))?;
        let before = all(&container)?;
        refusal::leaves(&container, lab, out, "update", || {
            update(lab, &container, &json!({ "cpu": { "cpus": "4095" } }))
        })?;
        out.expect_eq("limits after the refused update", all(&container)?, before);
        container.finish_and_delete()
    },
)
.needs(ANY)
.axis(plimsoll_reports::model::Axis::Compat)];

/// `checkBeforeUpdate`: a limit below the current usage is refused, and the container keeps running.
pub(super) const CHECKED: &[Scenario] = &[Scenario::new(
    "resources.memory.check-before-update/below-the-usage",
    &[
        "linux.resources.memory.check-before-update-may-check",
        "linux.resources.memory.check-before-update-reject",
        "linux.optional-members-since-1-1-0",
    ],
    &[Fault::Succeed(Op::Update), Fault::Ignore(Op::Update)],
    |lab, out| {
        let container = lab.running(|r| r.set("/linux/resources", json!({ "memory": { "limit": 64 << 20 } })))?;
        let before = all(&container)?;
        let limits = json!({ "memory": { "limit": 4096, "checkBeforeUpdate": true } });
        refusal::leaves(&container, lab, out, "update", || update(lab, &container, &limits))?;
        // Version 2 ends at once who is above a limit.
        if !container.is_alive()? {
            return refusal::discard(lab, container.id());
        }
        out.expect_eq("limits after the refused update", all(&container)?, before);
        container.finish_and_delete()
    },
)
.needs(ANY)];
