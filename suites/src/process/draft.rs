//! `process.CPUAffinity`, a draft that is to replace `execCPUAffinity`. It only applies with `--spec next`.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::need::Need;
use serde_json::json;

const AFFINITY: &str = "/process/CPUAffinity";

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "process.cpu-affinity/container-start",
    &["config.process.cpu-affinity-container-start"],
    &[Fault::Drop(AFFINITY), Fault::Take("/process/CPUAffinity/containerStart", "\"0\"")],
    |lab, out| {
        lab.needs_next("CPUAffinity")?;
        let container = lab.running(|r| r.set(AFFINITY, json!({ "containerStart": "1" })))?;
        out.expect_eq("processors of the program", container.observe()?.status.cpus_allowed.as_str(), "1");
        container.finish_and_delete()
    },
)
.needs(&[Need::HostView, Need::File("/sys/devices/system/cpu/cpu1")])];
