//! `linux.intelRdt` on a host where no resctrl filesystem is mounted: the setting cannot be applied.

use std::path::Path;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use serde_json::{Value, json};

const RDT: &str = "/linux/intelRdt";

/// One scenario a row: what is asked for.
macro_rules! refused {
    ($($id:literal, $value:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.intel-rdt.without-resctrl/", $id),
            &["linux.intel-rdt.no-resctrl-error"],
            &[Fault::Drop(RDT)],
            |lab, out| refused(lab, out, $value),
        )),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = refused! {
    "class-with-a-schema", json!({ "closID": "plimsoll", "l3CacheSchema": "L3:0=f" });
    "schema-alone", json!({ "l3CacheSchema": "L3:0=f" });
    "bandwidth", json!({ "memBwSchema": "MB:0=50" });
};

fn refused(lab: &Lab<'_>, out: &mut Judgement, value: Value) -> StepResult {
    if Path::new("/sys/fs/resctrl/schemata").exists() {
        return Err(Stop::Skip("a resctrl filesystem is mounted: unmount it for this check".into()));
    }
    lab.refuses(out, |r| r, |r| r.set(RDT, value))
}
