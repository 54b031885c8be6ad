//! `linux.resources.blockIO` on a device of the check: weights by device, and what a throttle does.

use plimsoll_engine::cgroup::Knob;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::disk::Disk;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, Stop, Told};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{Ask, Reply};
use serde_json::{Value, json};

use super::block_io::{BFQ, READ_BPS};

const IO: &str = "/linux/resources/blockIO";
const NODE: &str = "/dev/plimsoll";
const WEIGHTS: Knob = Knob { controller: "blkio", v1: "blkio.bfq.weight_device", v2: "io.bfq.weight" };

pub(super) const SCENARIOS: &[Scenario] = &[WEIGHT, WEIGHT_BESIDE_THE_DEFAULT, THROTTLES];

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
fn holds_weight(lab: &Lab<'_>, out: &mut Judgement, mut io: Value) -> Told {
    let mut disk = lab.disk()?;
    disk.schedule("bfq")?;
    io["weightDevice"] = about(&disk, json!({ "weight": 345 }));
    let default = io["weight"].as_u64();
    let container = lab.running(|r| r.set(IO, io))?;
    let held = container.held(&WEIGHTS)?.map(|held| held.text);
    let has = |wanted: &str| held.as_ref().is_ok_and(|text| text.lines().any(|line| line == wanted));
    out.expect("weight of the device", has(&line(&disk, 345)), line(&disk, 345), &held);
    if let Some(weight) = default {
        let all = container.held(&BFQ)?.map(|held| held.text.lines().next().unwrap_or_default().to_owned());
        let wanted = [weight.to_string(), format!("default {weight}")];
        out.expect("weight of the others", all.as_ref().is_ok_and(|text| wanted.contains(text)), &wanted[0], &all);
    }
    container.finish_and_delete()
}

/// What is read, and how much of it a second may bring.
const BYTES: u32 = 512 << 10;
const RATE: u32 = 1 << 20;

/// The time that reading takes inside, in microseconds.
fn reading(lab: &Lab<'_>) -> Told<i64> {
    let disk = lab.disk()?;
    let throttle = about(&disk, json!({ "rate": RATE }));
    let container =
        lab.running(|r| with_node(r, &disk).set("/linux/resources/blockIO/throttleReadBpsDevice", throttle))?;
    let answer = container.ask(Ask::ReadDirect { path: NODE.to_owned(), bytes: BYTES })?;
    container.finish_and_delete()?;
    match answer {
        Ok(Reply::Count(time)) => Ok(time),
        other => Err(Stop::Error(format!("reading from a block device: {other:?}"))),
    }
}

fn with_node<'r>(recipe: &'r mut Recipe, disk: &Disk) -> &'r mut Recipe {
    let (major, minor) = disk.numbers;
    let rule = json!({ "allow": true, "type": "b", "major": major, "minor": minor, "access": "rwm" });
    recipe
        .push("/linux/devices", json!({ "path": NODE, "type": "b", "major": major, "minor": minor, "fileMode": 0o666 }))
        .push("/linux/resources/devices", rule)
}

/// Version 1 limits direct input and output alone, so that is what is tried. The kernel lets through a tenth of a
/// second's worth at first.
const THROTTLES: Scenario = Scenario::new(
    "resources.block-io.effect/the-throttle-holds",
    &["linux.resources.block-io.throttle-read-bps"],
    &[Fault::Drop(IO), Fault::MoveOut, Fault::Beside],
    |lab, out| {
        let time = reading(lab)?;
        let least = i64::from(BYTES) * 1_000_000 / i64::from(RATE) / 2;
        out.expect("microseconds to read half a second's worth", time >= least, format!("{least} or more"), time);
        Ok(())
    },
)
.needs(&[Need::HostView, Need::Knob(READ_BPS)])
.waits();
