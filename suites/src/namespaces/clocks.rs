//! Time namespaces and `linux.timeOffsets`.

use std::collections::BTreeMap;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::own_namespace;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_foreign::read;
use serde_json::{Value, json};

use super::{LIST, usual_user};

const OFFSETS: &str = "/linux/timeOffsets";
const NEEDS: &[Need] = &[Need::HostView, Need::Namespace("time")];

/// A runtime need not have time namespaces: where it refuses one, that is the finding of one check and the reason to
/// skip the others.
pub(crate) fn supported(lab: &Lab<'_>) -> StepResult {
    let bundle = lab.bundle(|r| r.new_namespace("time"))?;
    let attempt = lab.try_create(&bundle)?;
    if !attempt.outcome.succeeded() {
        return Err(Stop::Skip("the runtime refuses time namespaces: see namespaces.time.supported".into()));
    }
    attempt.container()?.delete_by_force()?.ok()
}

const SUPPORTED: Scenario = Scenario::new(
    "namespaces.time.supported",
    &["linux.namespaces.type-time"],
    &[Fault::DropLast("/linux/namespaces"), Fault::Fail(Op::Create)],
    |lab, out| {
        let container = lab.running(|r| r.new_namespace("time"))?;
        let (own, found) = (own_namespace("time")?, container.observe()?.namespace("time"));
        out.expect("time", found.is_some() && found != own, format!("another one than {}", own.describe()), found);
        container.finish_and_delete()
    },
)
.needs(NEEDS);

/// The same as a duty of those that have it.
const NEW: Scenario = Scenario::new(
    "namespaces.new/time",
    &["linux.namespaces.no-path-new"],
    &[Fault::DropLast("/linux/namespaces")],
    |lab, out| {
        supported(lab)?;
        (SUPPORTED.run)(lab, out)
    },
)
.needs(NEEDS);

/// The offsets that the kernel has are the configured ones.
fn applied(lab: &Lab<'_>, out: &mut Judgement, offsets: &Value) -> StepResult {
    applied_with(lab, out, offsets, |r| r)
}

fn applied_with(
    lab: &Lab<'_>,
    out: &mut Judgement,
    offsets: &Value,
    edits: impl FnOnce(&mut Recipe) -> &mut Recipe,
) -> StepResult {
    supported(lab)?;
    let container = lab.running(|r| edits(r).new_namespace("time").set(OFFSETS, offsets))?;
    let observed = container.observe()?.timens_offsets.unwrap_or_default();
    let wanted: BTreeMap<String, (i64, i64)> = ["monotonic", "boottime"]
        .map(|clock| {
            let part = |name| offsets[clock][name].as_i64().unwrap_or(0);
            (clock.to_owned(), (part("secs"), part("nanosecs")))
        })
        .into();
    out.expect_eq("offsets of the time namespace", observed, wanted);
    container.finish_and_delete()
}

/// One scenario a row: the offsets, and runtimes that do not look at them.
macro_rules! offsets {
    ($($id:literal, $value:expr, $faults:expr;)*) => {
        &[$(Scenario::new(
            concat!("namespaces.time.offsets/", $id),
            &[
                "linux.time-offsets.monotonic",
                "linux.time-offsets.boottime",
                "linux.time-offsets.secs-effect",
                "linux.time-offsets.nanosecs-effect",
            ],
            $faults,
            |lab, out| applied(lab, out, &$value),
        ).needs(NEEDS)),*]
    };
}

pub(super) const APPLIED: &[Scenario] = offsets! {
    "monotonic-seconds", json!({ "monotonic": { "secs": 172_800 } }), &[Fault::Drop("/linux/timeOffsets/monotonic")];
    "boottime-seconds", json!({ "boottime": { "secs": 86_400 } }), &[Fault::Drop("/linux/timeOffsets/boottime")];
    "monotonic-nanoseconds", json!({ "monotonic": { "nanosecs": 999_999_999 } }),
        &[Fault::Drop("/linux/timeOffsets/monotonic/nanosecs")];
    "both", json!({ "monotonic": { "secs": 10, "nanosecs": 20 }, "boottime": { "secs": 30, "nanosecs": 40 } }),
        &[Fault::Drop("/linux/timeOffsets/monotonic"), Fault::Drop("/linux/timeOffsets/boottime/nanosecs")];
    "back-in-time", json!({ "monotonic": { "secs": -1 }, "boottime": { "secs": -1 } }),
        &[Fault::Take("/linux/timeOffsets/monotonic/secs", "1"), Fault::Drop("/linux/timeOffsets/boottime")];
};

/// Every member of it may be absent.
pub(super) const EMPTY: &[Scenario] = &[Scenario::new(
    "namespaces.time.offsets/empty",
    &["linux.time-offsets.optional-members-since-1-1-0", "runtime.create.makes-container"],
    &[Fault::Take(OFFSETS, r#"{"monotonic":{"secs":1}}"#)],
    |lab, out| applied(lab, out, &json!({})),
)
.needs(NEEDS)];

const MAPPED: &[Fault] =
    &[Fault::Drop("/linux/timeOffsets/monotonic"), Fault::Drop("/linux/timeOffsets/boottime/secs")];

const USER: &[Need] = &[Need::HostView, Need::Namespace("time"), Need::Namespace("user")];

/// A process with mapped ids owns none of its files in `/proc`, the one that sets its clocks included.
fn applied_with_mapped_ids(
    lab: &Lab<'_>,
    out: &mut Judgement,
    user: impl FnOnce(&mut Recipe) -> &mut Recipe,
) -> StepResult {
    let offsets = json!({ "monotonic": { "secs": 10 }, "boottime": { "secs": 30, "nanosecs": 40 } });
    applied_with(lab, out, &offsets, user)
}

pub(super) const MAPPED_IDS: &[Scenario] = &[
    Scenario::new(
        "namespaces.time.offsets/in-a-new-user-namespace",
        &["linux.time-offsets.monotonic", "linux.time-offsets.boottime"],
        MAPPED,
        |lab, out| applied_with_mapped_ids(lab, out, usual_user),
    )
    .needs(USER),
    Scenario::new(
        "namespaces.time.offsets/in-a-joined-user-namespace",
        &["linux.time-offsets.monotonic", "linux.time-offsets.boottime"],
        MAPPED,
        |lab, out| {
            let holder = lab.hold_namespace("user")?;
            let entry = json!({ "type": "user", "path": holder.path("user") });
            applied_with_mapped_ids(lab, out, |r| usual_user(r).inherit_namespace("user").push(LIST, entry))
        },
    )
    .needs(USER),
];

/// Clocks of a program whose offsets are a day, compared with ours.
const FELT: Scenario = Scenario::new(
    "namespaces.time.clocks-of-the-program",
    &["linux.time-offsets.monotonic", "linux.time-offsets.boottime", "linux.namespaces.type-time"],
    &[Fault::Drop("/linux/timeOffsets/monotonic"), Fault::Drop("/linux/timeOffsets/boottime")],
    |lab, out| {
        supported(lab)?;
        const DAY: i64 = 86_400;
        let offsets = json!({ "monotonic": { "secs": DAY }, "boottime": { "secs": 2 * DAY } });
        let container = lab.created(|r| r.new_namespace("time").set(OFFSETS, offsets))?;
        let hello = container.started()?;
        let monotonic = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC)?.tv_sec();
        let inside = i64::try_from(hello.at / 1_000_000_000).unwrap_or_default();
        let near = |ahead: i64, wanted: i64| (wanted - 60..=wanted + 60).contains(&ahead);
        out.expect("CLOCK_MONOTONIC", near(inside - monotonic, DAY), "a day ahead", inside - monotonic);
        let own = seconds(&read::kernel_bytes("/proc/uptime")?);
        let Ok(Reply::Bytes(uptime)) = container.ask(Ask::Read("/proc/uptime".into()))? else {
            return Err(Stop::broken("/proc/uptime inside", "readable", "it is not"));
        };
        let ahead = seconds(&uptime).zip(own).map(|(inside, own)| inside - own);
        out.expect("CLOCK_BOOTTIME", ahead.is_some_and(|ahead| near(ahead, 2 * DAY)), "two days ahead", ahead);
        container.finish_and_delete()
    },
)
.needs(NEEDS);

/// The first number of `/proc/uptime`, in whole seconds.
fn seconds(uptime: &[u8]) -> Option<i64> {
    String::from_utf8_lossy(uptime).split(['.', ' ']).next()?.parse().ok()
}

pub(super) const SCENARIOS: &[Scenario] = &[SUPPORTED, NEW, FELT, WITHOUT_NAMESPACE];

macro_rules! refused {
    ($($id:literal, $value:expr;)*) => {
        &[$(Scenario::new(
            concat!("namespaces.time.invalid/", $id),
            &["config.values.invalid-error"],
            &[Fault::Take(OFFSETS, r#"{"monotonic":{"secs":1}}"#)],
            |lab, out| {
                supported(lab)?;
                let good = json!({ "monotonic": { "secs": 1 } });
                lab.refuses(out, |r| r.new_namespace("time").set(OFFSETS, &good), |r| r.set(OFFSETS, $value))
            },
        ).needs(&[Need::Namespace("time")])),*]
    };
}

pub(super) const INVALID: &[Scenario] = refused! {
    "unknown-clock", json!({ "plimsoll": { "secs": 1 } });
    "a-second-of-nanoseconds", json!({ "monotonic": { "nanosecs": 1_000_000_000 } });
    "before-the-start", json!({ "monotonic": { "secs": -4_000_000_000_i64 } });
    "secs-as-text", json!({ "monotonic": { "secs": "1" } });
};

/// Without a time namespace there is nothing that the offsets could be applied to but the clocks of the host.
const WITHOUT_NAMESPACE: Scenario = Scenario::new(
    "namespaces.time.offsets-without-namespace",
    &["linux.time-offsets.monotonic"],
    &[Fault::Drop(OFFSETS)],
    |lab, out| {
        let offsets: Value = json!({ "monotonic": { "secs": 1 } });
        lab.refuses(out, |r| r, |r| r.set(OFFSETS, offsets))
    },
)
.needs(&[Need::Namespace("time")]);
