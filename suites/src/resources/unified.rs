//! `linux.resources.unified` (`config-linux.md#unified`): files of version 2, written as they are named.

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::{Fault, ValueFault};
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::json;

use super::legacy::{refused, refuses};
use super::pod::Pod;

const UNIFIED_AT: &str = "/linux/resources/unified";
const TASKS_AT: &str = "/linux/resources/unified/pids.max";
const ALONE: &[Need] = &[
    Need::HostView,
    Need::UnifiedAlone,
    Need::Controller("cpu"),
    Need::Controller("memory"),
    Need::Controller("pids"),
];

const fn file(controller: &'static str, v2: &'static str) -> Knob {
    Knob { controller, v1: "", v2 }
}

/// The files that cases name.
const FILES: &[Knob] = &[
    file("memory", "memory.high"),
    file("memory", "memory.min"),
    file("memory", "memory.oom.group"),
    file("pids", "pids.max"),
    file("cpu", "cpu.weight"),
    file("cpu", "cpu.max"),
    file("", "cgroup.max.depth"),
    file("", "cgroup.max.descendants"),
];

/// Each file that is a key holds its value.
const HOLDS: Rule = Rule::by_host(
    "resources.unified",
    &["linux.resources.unified.key-is-file", "linux.resources.unified.unknown-keys-written"],
    |config, evidence, out| {
        for knob in FILES {
            let Some(wanted) = config.get(UNIFIED_AT).and_then(|keys| keys.get(knob.v2)?.as_str()) else { continue };
            out.expect_eq(knob.v2, evidence.knob_value(knob).map(|held| held.text.as_str()), Ok(wanted));
        }
    },
)
.knobs(FILES)
.needs(ALONE);

/// One case a row: key, value.
macro_rules! keys {
    ($($name:literal, $key:literal, $value:literal;)*) => {
        &[$(Case::new(&HOLDS, $name, |r| r.set(UNIFIED_AT, json!({ $key: $value })), &[
            Fault::Drop(UNIFIED_AT),
            Fault::Value(UNIFIED_AT, ValueFault::Empty),
            Fault::Drop(concat!("/linux/resources/unified/", $key)),
        ])),*]
    };
}

pub(super) const KEYS: &[Case] = keys! {
    "soft-limit-of-memory", "memory.high", "67108864";
    "protected-memory", "memory.min", "1048576";
    "group-of-victims", "memory.oom.group", "1";
    "tasks", "pids.max", "77";
    "weight", "cpu.weight", "123";
    "bandwidth", "cpu.max", "20000 70000";
    "depth", "cgroup.max.depth", "3";
    "descendants", "cgroup.max.descendants", "9";
};

pub(super) const SEVERAL: &[Case] = &[Case::new(
    &HOLDS,
    "several",
    |r| {
        r.set(
            UNIFIED_AT,
            json!({ "memory.high": "max", "pids.max": "max", "cgroup.max.depth": "7", "cpu.max": "max 90000" }),
        )
    },
    &[
        Fault::Drop(UNIFIED_AT),
        Fault::Drop("/linux/resources/unified/cgroup.max.depth"),
        Fault::Drop("/linux/resources/unified/cpu.max"),
    ],
)];

pub(super) const SCENARIOS: &[Scenario] = &[ENABLED, OVER_A_MEMBER, REFUSES_FORKS];

/// The group above has no controller enabled for those in it.
const ENABLED: Scenario = Scenario::new(
    "resources.unified/controllers-are-enabled",
    &["linux.resources.unified.controllers-enabled"],
    &[Fault::Drop(UNIFIED_AT)],
    |lab, out| {
        const CPUS: Knob = file("cpuset", "cpuset.cpus");
        let pod = Pod::make(lab)?;
        let keys = json!({ "cpuset.cpus": "0", "pids.max": "77" });
        let container = lab.running(|r| r.set("/linux/cgroupsPath", pod.within("c")).set(UNIFIED_AT, keys))?;
        for (knob, wanted) in [(&CPUS, "0"), (&FILES[3], "77")] {
            out.expect_eq(knob.v2, container.knob_value(knob)?.map(|held| held.text), Ok(wanted.to_owned()));
        }
        container.finish_and_delete()?;
        pod.remove()
    },
)
.needs(&[Need::HostView, Need::UnifiedAlone, Need::Controller("cpuset"), Need::Controller("pids")]);

/// Members of version 1 hold beside `unified`, neither in place of the other.
const OVER_A_MEMBER: Scenario = Scenario::new(
    "resources.unified/beside-members-of-version-1",
    &["linux.resources.unified.key-is-file", "linux.resources.pids.limit"],
    &[Fault::Drop(UNIFIED_AT), Fault::Drop("/linux/resources/pids")],
    |lab, out| {
        let resources = json!({ "pids": { "limit": 50 }, "unified": { "memory.high": "67108864" } });
        let container = lab.running(|r| r.set("/linux/resources", resources))?;
        for (knob, wanted) in [(&FILES[3], "50"), (&FILES[0], "67108864")] {
            out.expect_eq(knob.v2, container.knob_value(knob)?.map(|held| held.text), Ok(wanted.to_owned()));
        }
        container.finish_and_delete()
    },
)
.needs(ALONE);

/// What is named here limits as a member does.
const REFUSES_FORKS: Scenario = Scenario::new(
    "resources.unified.effect/tasks",
    &["linux.resources.unified.key-is-file"],
    &[Fault::Drop(UNIFIED_AT), Fault::Take(TASKS_AT, "\"11\""), Fault::MoveOut, Fault::Beside],
    |lab, out| {
        let container = lab.running(|r| r.set(UNIFIED_AT, json!({ "pids.max": "10" })))?;
        let made = container.ask(Ask::Fork(30))?;
        out.expect_eq("processes that the program could make", made, Ok(Reply::Count(9)));
        container.finish_and_delete()
    },
)
.needs(ALONE);

const MISSING: &[&str] = &["linux.resources.unified.missing-controller-error", "runtime.errors.no-side-effects"];

pub(super) const REFUSED: &[Scenario] = refused! { ALONE, MISSING;
    "resources.unified.refused/no-such-controller", json!({ "unified": { "plimsoll.max": "1" } });
    "resources.unified.refused/no-such-file", json!({ "unified": { "memory.plimsoll": "1" } });
    "resources.unified.refused/no-such-file-of-the-core", json!({ "unified": { "cgroup.plimsoll": "1" } });
    "resources.unified.refused/value-is-no-number", json!({ "unified": { "pids.max": "many" } });
    "resources.unified.refused/one-of-two", json!({ "unified": { "pids.max": "77", "plimsoll.max": "1" } });
    "resources.unified.refused/file-of-another-group", json!({ "unified": { "../pids.max": "77" } });
};

/// A controller that version 1 has taken cannot be enabled in version 2.
pub(super) const BOUND: &[Scenario] = refused! {
    &[Need::HostView, Need::Knob(Knob { controller: "memory", v1: "memory.limit_in_bytes", v2: "" })], MISSING;
    "resources.unified.refused/controller-of-version-1", json!({ "unified": { "memory.high": "67108864" } });
    "resources.unified.refused/controller-of-version-1-beside-a-limit",
        json!({ "memory": { "limit": 67_108_864 }, "unified": { "pids.max": "77" } });
};
