//! `linux.resources.blockIO` on a device of the check: weights by device, and what a throttle does.

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::disk::Disk;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::{Value, json};

use super::block_io::{
    BFQ, READ_BPS, READ_BPS_AT, READ_IOPS, READ_IOPS_AT, WRITE_BPS, WRITE_BPS_AT, WRITE_IOPS, WRITE_IOPS_AT,
};

const IO: &str = "/linux/resources/blockIO";
const NODE: &str = "/dev/plimsoll";
const WEIGHTS: Knob = Knob { controller: "blkio", v1: "blkio.bfq.weight_device", v2: "io.bfq.weight" };

pub(super) const SCENARIOS: &[Scenario] = &[WEIGHT, WEIGHT_BESIDE_THE_DEFAULT, READS, WRITES, READ_CALLS, WRITE_CALLS];

/// What is said about the device, besides its numbers.
fn about(disk: &Disk, mut entry: Value) -> Value {
    entry["major"] = json!(disk.numbers.0);
    entry["minor"] = json!(disk.numbers.1);
    json!([entry])
}

fn line(disk: &Disk, weight: u64) -> String {
    format!("{}:{} {weight}", disk.numbers.0, disk.numbers.1)
}

const WEIGHT: Scenario = Scenario::new(
    "resources.block-io.weight-device/alone",
    &["linux.resources.block-io.weight-device-effect", "linux.resources.block-io.weight-device-weights-optional"],
    &[Fault::Drop(IO), Fault::Take("/linux/resources/blockIO/weightDevice/0/weight", "346")],
    |lab, out| holds_weight(lab, out, json!({})),
)
.needs(&[Need::HostView, Need::Knob(BFQ)]);

const WEIGHT_BESIDE_THE_DEFAULT: Scenario = Scenario::new(
    "resources.block-io.weight-device/beside-the-default",
    &["linux.resources.block-io.weight-device-effect", "linux.resources.block-io.weight"],
    &[Fault::Drop("/linux/resources/blockIO/weightDevice"), Fault::Drop("/linux/resources/blockIO/weight")],
    |lab, out| holds_weight(lab, out, json!({ "weight": 456 })),
)
.needs(&[Need::HostView, Need::Knob(BFQ)]);

/// The weight of a device counts where the scheduler BFQ sees to it.
fn holds_weight(lab: &Lab<'_>, out: &mut Judgement, mut io: Value) -> StepResult {
    let mut disk = lab.disk()?;
    disk.schedule("bfq")?;
    io["weightDevice"] = about(&disk, json!({ "weight": 345 }));
    let default = io["weight"].as_u64();
    let container = lab.running(|r| r.set(IO, io))?;
    let held = container.knob_value(&WEIGHTS)?.map(|held| held.text);
    let has = |wanted: &str| held.as_ref().is_ok_and(|text| text.lines().any(|line| line == wanted));
    out.expect("weight of the device", has(&line(&disk, 345)), line(&disk, 345), &held);
    if let Some(weight) = default {
        let all = container.knob_value(&BFQ)?.map(|held| held.text.lines().next().unwrap_or_default().to_owned());
        let wanted = [weight.to_string(), format!("default {weight}")];
        out.expect("weight of the others", all.as_ref().is_ok_and(|text| wanted.contains(text)), &wanted[0], &all);
    }
    container.finish_and_delete()
}

/// A throttle, and what it makes a program wait for.
struct Throttle {
    at: &'static str,
    /// What the device does in a second: bytes, or calls.
    rate: u32,
    write: bool,
    /// Bytes in all, and at a call: what takes half a second.
    bytes: u32,
    at_once: u32,
}

/// The kernel lets a tenth of a second's worth through at first; the rest has to wait.
const LEAST: i64 = 250_000;

/// Version 1 limits direct input and output alone, so that is what is tried.
fn holds_up(lab: &Lab<'_>, out: &mut Judgement, throttle: &Throttle) -> StepResult {
    let Throttle { at, rate, write, bytes, at_once } = *throttle;
    let disk = lab.disk()?;
    let limit = about(&disk, json!({ "rate": rate }));
    let container = lab.running(|r| with_node(r, &disk).set(at, limit))?;
    let answer = container.ask(Ask::Direct { path: NODE.to_owned(), write, bytes, at_once })?;
    container.finish_and_delete()?;
    let Ok(Reply::Count(time)) = answer else {
        return Err(Stop::Error(format!("direct input or output of a block device: {}", answer.describe())));
    };
    out.expect("microseconds for half a second's worth", time >= LEAST, format!("{LEAST} or more"), time);
    Ok(())
}

fn with_node<'r>(recipe: &'r mut Recipe, disk: &Disk) -> &'r mut Recipe {
    let (major, minor) = disk.numbers;
    let rule = json!({ "allow": true, "type": "b", "major": major, "minor": minor, "access": "rwm" });
    recipe
        .push("/linux/devices", json!({ "path": NODE, "type": "b", "major": major, "minor": minor, "fileMode": 0o666 }))
        .push("/linux/resources/devices", rule)
}

macro_rules! throttled {
    ($($name:ident $id:literal $clause:literal $knob:ident $at:ident $write:literal $rate:literal $bytes:literal by $at_once:literal;)*) => {
        $(const $name: Scenario = Scenario::new(
            concat!("resources.block-io.effect/", $id),
            &[$clause],
            &[Fault::Drop($at), Fault::MoveOut, Fault::Beside],
            |lab, out| {
                let (rate, bytes, at_once) = ($rate, $bytes, $at_once);
                holds_up(lab, out, &Throttle { at: $at, rate, write: $write, bytes, at_once })
            },
        )
        .needs(&[Need::HostView, Need::Knob($knob)])
        .waits();)*
    };
}

throttled! {
    READS "the-throttle-holds" "linux.resources.block-io.throttle-read-bps" READ_BPS
        READ_BPS_AT false 1_048_576 524_288 by 524_288;
    WRITES "the-throttle-of-writes-holds" "linux.resources.block-io.throttle-write-bps" WRITE_BPS
        WRITE_BPS_AT true 1_048_576 524_288 by 524_288;
    READ_CALLS "the-throttle-of-read-calls-holds" "linux.resources.block-io.throttle-read-iops" READ_IOPS
        READ_IOPS_AT false 64 131_072 by 4096;
    WRITE_CALLS "the-throttle-of-write-calls-holds" "linux.resources.block-io.throttle-write-iops" WRITE_IOPS
        WRITE_IOPS_AT true 64 131_072 by 4096;
}
