//! `linux.resources.blockIO` (`config-linux.md#block-io`): what the controller blkio, in version 2 io, holds.

use plimsoll_engine::cgroup::{Knob, KnobValue, Version};
use plimsoll_engine::check::Case;
use plimsoll_engine::fault::{Fault, ValueFault};
use plimsoll_engine::need::{Need, block_devices};
use plimsoll_fixtures::Config;
use serde_json::{Value, json};

use super::values::{Member, cases, rule};

const WEIGHT_AT: &str = "/linux/resources/blockIO/weight";
pub(super) const READ_BPS_AT: &str = "/linux/resources/blockIO/throttleReadBpsDevice";
pub(super) const WRITE_BPS_AT: &str = "/linux/resources/blockIO/throttleWriteBpsDevice";
pub(super) const READ_IOPS_AT: &str = "/linux/resources/blockIO/throttleReadIOPSDevice";
pub(super) const WRITE_IOPS_AT: &str = "/linux/resources/blockIO/throttleWriteIOPSDevice";

/// The weights of the scheduler BFQ, which count from 1 to 1000 in both versions.
pub(super) const BFQ: Knob = Knob { controller: "blkio", v1: "blkio.bfq.weight", v2: "io.bfq.weight" };
/// Those of version 2, which count from 1 to 10000.
const WEIGHT: Knob = Knob { controller: "blkio", v1: "", v2: "io.weight" };

/// A weight as it is, or in the units of `io.weight`.
fn weight(wanted: &Value, held: &KnobValue, _: &Config) -> bool {
    let first = held.text.lines().next().unwrap_or_default();
    let found: Option<i64> = first.trim_start_matches("default ").parse().ok();
    let wanted = wanted.as_i64().unwrap_or_default();
    let converted = 1 + (wanted - 10) * 9999 / 990;
    found == Some(wanted) || (held.version == Version::Two && found == Some(converted))
}

rule!(
    WEIGHT_RULE,
    "resources.block-io.weight",
    &["linux.resources.block-io.weight"],
    Member { at: WEIGHT_AT, knobs: &[BFQ, WEIGHT], is: weight }
);

const WRONG_WEIGHT: &[Fault] = &[Fault::Drop(WEIGHT_AT), Fault::Take(WEIGHT_AT, "77")];

pub(super) const WEIGHTS: &[Case] = cases! { &WEIGHT_RULE, &[Need::Knob(BFQ)];
    "least", [WEIGHT_AT => 10], WRONG_WEIGHT;
    "some", [WEIGHT_AT => 345], &[Fault::Drop(WEIGHT_AT), Fault::Value(WEIGHT_AT, ValueFault::OffByOne), Fault::Beside];
    "greatest", [WEIGHT_AT => 1000], WRONG_WEIGHT;
};

const fn throttle(v1: &'static str) -> Knob {
    Knob { controller: "blkio", v1, v2: "io.max" }
}

pub(super) const READ_BPS: Knob = throttle("blkio.throttle.read_bps_device");
pub(super) const WRITE_BPS: Knob = throttle("blkio.throttle.write_bps_device");
pub(super) const READ_IOPS: Knob = throttle("blkio.throttle.read_iops_device");
pub(super) const WRITE_IOPS: Knob = throttle("blkio.throttle.write_iops_device");

/// Each entry has a line: `major:minor rate` in version 1, one with `key=rate` in it in version 2.
fn throttled(wanted: &Value, held: &KnobValue, key: &str) -> bool {
    let entries = wanted.as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().all(|entry| {
        let device = format!("{}:{}", entry["major"], entry["minor"]);
        let rate =
            if held.version == Version::One { entry["rate"].to_string() } else { format!("{key}={}", entry["rate"]) };
        held.text.lines().any(|line| {
            let mut words = line.split(' ');
            words.next() == Some(device.as_str()) && words.any(|word| word == rate)
        })
    })
}

/// A throttle of a device that the host has.
pub(super) fn entry(rate: u64) -> Value {
    entries(&[rate])
}

/// A throttle for each of these rates, of a device of its own as far as the host has so many.
fn entries(rates: &[u64]) -> Value {
    let devices = block_devices().into_iter().zip(rates);
    devices.map(|((major, minor), rate)| json!({ "major": major, "minor": minor, "rate": rate })).collect()
}

/// The rule and the cases of one kind of throttle.
macro_rules! throttles {
    ($($cases:ident, $rule:ident, $at:ident, $rate:literal, $id:literal, $clause:literal, $knob:ident, $key:literal;)*) => {
        $(
            rule!(
                $rule,
                $id,
                &[$clause],
                Member { at: $at, knobs: &[$knob], is: |wanted, held, _| throttled(wanted, held, $key) }
            );

            pub(super) const $cases: &[Case] = cases! { &$rule, &[Need::Knob($knob), Need::BlockDevice];
                "some", [$at => entry(1_234_567)], &[
                    Fault::Drop($at),
                    Fault::Value($rate, ValueFault::OffByOne),
                    Fault::Move($at, "/linux/resources/blockIO/elsewhere"),
                ];
                "little", [$at => entry(100)], &[Fault::Drop($at), Fault::Value($rate, ValueFault::Double)];
                "two-devices", [$at => entries(&[1_234_567, 7_654_321])], &[Fault::DropLast($at), Fault::Drop($at)];
            };
        )*
    };
}

throttles! {
    READS, READ_BPS_RULE, READ_BPS_AT, "/linux/resources/blockIO/throttleReadBpsDevice/-/rate",
        "resources.block-io.throttle-read-bps", "linux.resources.block-io.throttle-read-bps", READ_BPS, "rbps";
    WRITES, WRITE_BPS_RULE, WRITE_BPS_AT, "/linux/resources/blockIO/throttleWriteBpsDevice/-/rate",
        "resources.block-io.throttle-write-bps", "linux.resources.block-io.throttle-write-bps", WRITE_BPS, "wbps";
    READ_CALLS, READ_IOPS_RULE, READ_IOPS_AT, "/linux/resources/blockIO/throttleReadIOPSDevice/-/rate",
        "resources.block-io.throttle-read-iops", "linux.resources.block-io.throttle-read-iops", READ_IOPS, "riops";
    WRITE_CALLS, WRITE_IOPS_RULE, WRITE_IOPS_AT, "/linux/resources/blockIO/throttleWriteIOPSDevice/-/rate",
        "resources.block-io.throttle-write-iops", "linux.resources.block-io.throttle-write-iops", WRITE_IOPS, "wiops";
}
