//! What users of runc rely on where the specification is silent: operations that it does not define, and behaviour that it leaves open. No
//! check reads the text of errors; where runtimes differ for a good reason, each way is accepted.

mod callers;
mod creation;
mod default_root;
#[cfg(test)]
mod differences;
mod engines;
mod exec;
mod exec_options;
mod filtered;
mod filtered_needs;
mod hand_over;
mod home;
mod inherit;
mod options;
mod pause;
mod pidfd;
mod queries;
mod readiness;
mod relay;
mod repeated;
mod sockets;
mod update;
mod update_keeps;
mod version;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::profile::Values;

use serde_json::{Value, json};

pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    callers::SCENARIOS,
    creation::ADVICE,
    creation::SCENARIOS,
    default_root::ADVICE,
    default_root::SCENARIOS,
    engines::PROGRAMS,
    engines::SCENARIOS,
    exec::SCENARIOS,
    exec::MISPLACED,
    exec_options::SCENARIOS,
    filtered::HOOKS,
    filtered::NEWER,
    filtered::SCENARIOS,
    filtered_needs::AT_THE_END,
    filtered_needs::SCENARIOS,
    hand_over::SCENARIOS,
    home::EMPTY,
    home::SCENARIOS,
    inherit::FILTERS,
    inherit::CONFIGURED,
    inherit::INHERITED,
    inherit::LABELS,
    inherit::NAMESPACES,
    queries::SCENARIOS,
    options::OF_EXEC,
    options::OF_UPDATE,
    options::OF_UPDATE_BESIDE,
    options::SCENARIOS,
    pause::SCENARIOS,
    pidfd::SCENARIOS,
    readiness::SCENARIOS,
    relay::FULL_PIPE,
    relay::HANG_UP,
    relay::INPUT,
    relay::KEYS,
    relay::LINES,
    relay::LONG_LINE,
    relay::RESIZE,
    relay::SIGNALS,
    relay::SIGNALS_OF_EXEC,
    sockets::SCENARIOS,
    repeated::SCENARIOS,
    update::REFUSED,
    update::SCENARIOS,
    update_keeps::CHECKED,
    update_keeps::REFUSED,
    update_keeps::SCENARIOS,
    version::SCENARIOS,
];

/// Why some of these are warnings.
const DIFFERS: &str = "the specification says nothing of it, and each way has its users";

/// None of the specification: `data/practice.jsonl` names the clause by the id of the check.
const UNSPECIFIED: &[&str] = &[];

/// One scenario a row: id, needs, the faults that turn it red, and the scenario.
macro_rules! compat {
    ($($id:expr, $needs:expr, $proves:expr, $run:expr;)*) => {
        &[$(plimsoll_engine::check::Scenario::new($id, super::UNSPECIFIED, $proves, $run)
            .needs($needs)
            .axis(plimsoll_reports::model::Axis::Compat)),*]
    };
}

use compat;

/// The process of the base configuration with these arguments.
fn process(args: &[&str]) -> Value {
    let mut process = plimsoll_fixtures::Config::base().0["process"].clone();
    process["args"] = json!(args);
    process
}

/// The values for a call about a container that there is not.
fn nobody(lab: &Lab<'_>) -> Values {
    Values::default().with("id", format!("{}-none", lab.tag))
}

/// A file of the container's group of this controller, by its names in version 1 and in version 2.
fn cgroup_value(container: &Container<'_>, controller: &str, v1: &str, v2: &str) -> StepResult<String> {
    let seen = container.observe()?;
    let group = seen.cgroup(controller);
    let group = group.ok_or_else(|| Stop::Skip(format!("no cgroup controller {controller}: mount or delegate it")))?;
    let file = if group.v2 { v2 } else { v1 };
    // The group at the mount point has none of these files; a container in it has no limits.
    let value =
        group.read(file).map_err(|why| Stop::broken(file, "in a control group of the container", why.to_string()));
    Ok(value?.trim().to_owned())
}
