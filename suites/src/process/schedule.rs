//! `process.scheduler`, `process.ioPriority` and `process.execCPUAffinity` as far as the init process is concerned
//! (`config.md#linux-process`, since 1.1.0 and 1.2.1).

use nix::libc;
use nix::unistd::getpid;
use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Stop;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::Flaw;
use plimsoll_reports::model::Axis;
use serde_json::{Value, json};

use crate::resources::cpu::list;

const SCHEDULER: &str = "/process/scheduler";
const IO: &str = "/process/ioPriority";

const POLICIES: [(&str, i32); 6] = [
    ("SCHED_OTHER", libc::SCHED_OTHER),
    ("SCHED_BATCH", libc::SCHED_BATCH),
    ("SCHED_IDLE", libc::SCHED_IDLE),
    ("SCHED_FIFO", libc::SCHED_FIFO),
    ("SCHED_RR", libc::SCHED_RR),
    ("SCHED_DEADLINE", libc::SCHED_DEADLINE),
];
const FLAGS: [(&str, i32); 3] = [
    ("SCHED_FLAG_RESET_ON_FORK", libc::SCHED_FLAG_RESET_ON_FORK),
    ("SCHED_FLAG_RECLAIM", libc::SCHED_FLAG_RECLAIM),
    ("SCHED_FLAG_DL_OVERRUN", libc::SCHED_FLAG_DL_OVERRUN),
];
const CLASSES: [(&str, i64); 3] = [("IOPRIO_CLASS_RT", 1), ("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3)];

/// The init process runs under the configured policy, and each attribute that is not given is zero.
const ATTRIBUTES: Rule = Rule::by_host(
    "process.scheduler",
    &[
        "config.process.scheduler-policy-applied",
        "config.process.scheduler-nice-applied",
        "config.process.scheduler-nice-default",
        "config.process.scheduler-priority-applied",
        "config.process.scheduler-flags-applied",
        "config.process.scheduler-deadline-fields-applied",
    ],
    |config, evidence, out| {
        let found = evidence.host().sched;
        let number = |name: &str| config.number(&format!("{SCHEDULER}/{name}")).unwrap_or(0);
        let policy = config.get("/process/scheduler/policy").and_then(|name| value_of(&POLICIES, name));
        out.expect_eq("policy", name_of(&POLICIES, i32::try_from(found.policy).ok()), name_of(&POLICIES, policy));
        // The kernel takes a nice value with those policies alone that have use for it, and shows that of the caller else.
        if policy != Some(libc::SCHED_IDLE) {
            out.expect_eq("nice", i64::from(found.nice), number("nice"));
        }
        out.expect_eq("priority", i64::from(found.priority), number("priority"));
        let flags = config.list("/process/scheduler/flags").iter().filter_map(|name| value_of(&FLAGS, name));
        out.expect_eq("flags", found.flags, flags.fold(0, |all, flag| all | u64::from(flag.cast_unsigned())));
        if policy == Some(libc::SCHED_DEADLINE) {
            let nanoseconds = [found.runtime, found.deadline, found.period].map(u64::cast_signed);
            out.expect_eq("runtime, deadline, period", nanoseconds, ["runtime", "deadline", "period"].map(number));
        }
    },
);

/// Of what the configuration does not say the process has what the runtime was called with.
const UNSET: Rule =
    Rule::by_host("process.scheduler.unset", &["runtime.start.runs-program"], |config, evidence, out| {
        let own = Observation::of(getpid()).ok();
        if config.get(SCHEDULER).is_none() {
            out.expect_eq("scheduling", Some(evidence.host().sched), own.as_ref().map(|own| own.sched));
        }
        if config.get(IO).is_none() {
            out.expect_eq(
                "class and level of input and output",
                Some(evidence.host().ioprio),
                own.as_ref().map(|own| own.ioprio),
            );
        }
        if config.get("/linux/resources/cpu/cpus").is_none() {
            // Some runtimes give up a narrower choice of the caller's.
            let own = own.map(|own| list(&own.status.cpus_allowed)).unwrap_or_default();
            let found = list(&evidence.host().status.cpus_allowed);
            let has_all = own.iter().all(|processor| found.contains(processor));
            out.expect("processors", has_all, format!("those of the caller, {}", own.describe()), &found);
        }
    })
    .axis(Axis::Compat);

/// The init process has the configured class and level of input and output.
const IO_PRIORITY: Rule = Rule::by_host(
    "process.io-priority",
    &["config.process.io-priority-class-values", "config.process.io-priority-level-range"],
    |config, evidence, out| {
        let class = config.get("/process/ioPriority/class").and_then(|name| value_of(&CLASSES, name));
        let wanted = (class.unwrap_or(0), config.number("/process/ioPriority/priority").unwrap_or(0));
        let words = |(class, level): (i64, i64)| format!("{}, level {level}", name_of(&CLASSES, Some(class)));
        out.expect_eq("class and level", words(evidence.host().ioprio), words(wanted));
    },
);

/// The processors of the init process are those of the harness, whatever is configured for programs of `exec`.
const AFFINITY: Rule = Rule::by_host(
    "process.exec-cpu-affinity.not-for-init",
    &["config.process.exec-cpu-affinity-not-for-init"],
    |_, evidence, out| {
        // Some runtimes give up a narrower choice of the caller's.
        let own = Observation::of(getpid()).map(|own| list(&own.status.cpus_allowed)).unwrap_or_default();
        let found = list(&evidence.host().status.cpus_allowed);
        let has_all = own.iter().all(|processor| found.contains(processor));
        out.expect("processors", has_all, format!("those of the harness, {}", own.describe()), &found);
    },
);

/// The name of a value of the kernel's, or the value where it has none here.
fn name_of<T: Copy + PartialEq + Describe>(table: &[(&str, T)], value: Option<T>) -> String {
    let known = table.iter().find(|(_, known)| Some(*known) == value);
    known.map_or_else(|| value.describe(), |(name, _)| (*name).to_owned())
}

fn value_of<T: Copy>(table: &[(&str, T)], name: &Value) -> Option<T> {
    table.iter().find(|(known, _)| name == known).map(|(_, value)| *value)
}

/// A configuration of the release that knows these members.
fn since<'r>(recipe: &'r mut Recipe, release: &str, pointer: &str, value: Value) -> &'r mut Recipe {
    recipe.set("/ociVersion", release).set(pointer, value)
}

fn scheduler(recipe: &mut Recipe, value: Value) -> &mut Recipe {
    since(recipe, "1.1.0", SCHEDULER, value)
}

const IGNORED: &[Fault] = &[Fault::Drop(SCHEDULER)];
const NICE: &[Fault] = &[Fault::Drop("/process/scheduler/nice"), Fault::Drop(SCHEDULER)];
const PRIORITY: &[Fault] = &[Fault::Take("/process/scheduler/priority", "1"), Fault::Drop(SCHEDULER)];
const REAL_TIME: &[Need] = &[Need::Capability("CAP_SYS_NICE"), Need::RealTime];
const MAY_RAISE: &[Need] = &[Need::Capability("CAP_SYS_NICE")];
/// The kernel accepts a deadline only for a process that may run on all CPUs, since admission is for all of them.
const DEADLINE: &[Need] = &[Need::Capability("CAP_SYS_NICE"), Need::AllProcessors];
const CONFINED: &[Fault] = &[Fault::Take("/linux/resources", r#"{ "cpu": { "cpus": "0" } }"#)];
const TWO_PROCESSORS: &[Need] = &[Need::File("/sys/devices/system/cpu/cpu1"), Need::Controller("cpuset")];
const IO_FAULTS: &[Fault] = &[Fault::Drop(IO), Fault::Take("/process/ioPriority/priority", "5")];

macro_rules! io {
    ($($name:literal $class:literal $level:literal)*) => {
        &[$(Case::new(
            &IO_PRIORITY,
            $name,
            |r| since(r, "1.1.0", IO, json!({ "class": $class, "priority": $level })),
            IO_FAULTS,
        ).needs(MAY_RAISE)),*]
    };
}

pub(super) const IO_CASES: &[Case] = io! {
    "best-effort-highest" "IOPRIO_CLASS_BE" 0
    "best-effort-3" "IOPRIO_CLASS_BE" 3
    "best-effort-lowest" "IOPRIO_CLASS_BE" 7
    "real-time-highest" "IOPRIO_CLASS_RT" 0
    "real-time-4" "IOPRIO_CLASS_RT" 4
    "real-time-lowest" "IOPRIO_CLASS_RT" 7
    "idle" "IOPRIO_CLASS_IDLE" 0
};

/// The scenario changes its own process, which the runtime is a child of, and which ends with the scenario.
pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "process.scheduler.nice-unset/zero-whatever-the-caller-has",
    &["config.process.scheduler-nice-default"],
    &[Fault::Drop(SCHEDULER), Fault::Take("/process/scheduler/nice", "5")],
    |lab, out| {
        plimsoll_engine::sys::set_nice(5).map_err(Stop::error("set our own nice value"))?;
        let container = lab.running(|r| scheduler(r, json!({ "policy": "SCHED_OTHER" })))?;
        out.expect_eq("nice", container.observe()?.sched.nice, 0);
        container.finish_and_delete()
    },
)
.needs(MAY_RAISE)];

pub(super) const CASES: &[Case] = &[
    Case::new(&ATTRIBUTES, "batch", |r| scheduler(r, json!({ "policy": "SCHED_BATCH" })), IGNORED),
    Case::new(&ATTRIBUTES, "idle", |r| scheduler(r, json!({ "policy": "SCHED_IDLE" })), IGNORED),
    Case::new(&ATTRIBUTES, "other-nice", |r| scheduler(r, json!({ "policy": "SCHED_OTHER", "nice": 10 })), NICE),
    Case::new(&ATTRIBUTES, "batch-nice", |r| scheduler(r, json!({ "policy": "SCHED_BATCH", "nice": 19 })), NICE),
    Case::new(&ATTRIBUTES, "negative-nice", |r| scheduler(r, json!({ "policy": "SCHED_OTHER", "nice": -5 })), NICE)
        .needs(MAY_RAISE),
    Case::new(&ATTRIBUTES, "fifo", |r| scheduler(r, json!({ "policy": "SCHED_FIFO", "priority": 42 })), PRIORITY)
        .needs(REAL_TIME),
    Case::new(&ATTRIBUTES, "round-robin", |r| scheduler(r, json!({ "policy": "SCHED_RR", "priority": 7 })), PRIORITY)
        .needs(REAL_TIME),
    Case::new(
        &ATTRIBUTES,
        "deadline",
        |r| {
            let times = json!({ "policy": "SCHED_DEADLINE", "runtime": 10_000_000, "deadline": 50_000_000,
                "period": 100_000_000, "flags": ["SCHED_FLAG_RESET_ON_FORK"] });
            scheduler(r, times)
        },
        &[Fault::Drop(SCHEDULER), Fault::Take("/process/scheduler/runtime", "20000000")],
    )
    .needs(DEADLINE),
    Case::new(
        &ATTRIBUTES,
        "reset-on-fork",
        |r| scheduler(r, json!({ "policy": "SCHED_BATCH", "flags": ["SCHED_FLAG_RESET_ON_FORK"] })),
        &[Fault::Drop("/process/scheduler/flags")],
    ),
    Case::new(&UNSET, "as-the-caller", |r| r, &[Fault::Flawed(Flaw::Last)]),
    Case::new(&UNSET, "on-the-processors-of-the-caller", |r| r, CONFINED).needs(TWO_PROCESSORS),
    Case::new(
        &AFFINITY,
        "final",
        |r| since(r, "1.2.1", "/process/execCPUAffinity", json!({ "initial": "0", "final": "0" })),
        CONFINED,
    )
    .needs(TWO_PROCESSORS),
];
