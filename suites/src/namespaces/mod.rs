//! Namespaces and id mappings (`config-linux.md#namespaces`).

pub(crate) mod clocks;
mod effects;
mod ids;
mod ids_invalid;
mod invalid;
mod isolation;
mod joined;
mod owner;
mod types;
mod watched;

use nix::mount::{MntFlags, umount2};
use plimsoll_engine::check::{Case, Scenario};
use plimsoll_engine::judgement::StepResult;
use plimsoll_engine::lab::Lab;
use plimsoll_engine::saved_mounts;
use plimsoll_fixtures::Recipe;
use serde_json::{Value, json};

pub(crate) const CASES: &[&[Case]] =
    &[effects::CASES, ids::CASES, owner::CASES, types::CASES, types::NEW_TYPES, types::INHERITED_TYPES];
pub(crate) const SCENARIOS: &[&[Scenario]] = &[
    clocks::SCENARIOS,
    clocks::APPLIED,
    clocks::EMPTY,
    clocks::INVALID,
    clocks::MAPPED_IDS,
    ids::SCENARIOS,
    ids_invalid::SCENARIOS,
    ids_invalid::MEMBERS,
    invalid::SCENARIOS,
    invalid::OTHER_TYPES,
    invalid::TWICE,
    invalid::WRONG,
    isolation::SCENARIOS,
    joined::SCENARIOS,
    joined::TYPES,
    types::SCENARIOS,
    watched::HOOKED,
    watched::JOINED,
    watched::SCENARIOS,
    watched::VARIABLES,
];

const LIST: &str = "/linux/namespaces";

/// One range of ids, as in `linux.uidMappings`.
pub(crate) fn range(inside: u32, outside: u32, size: u32) -> Value {
    json!({ "containerID": inside, "hostID": outside, "size": size })
}

/// A new user namespace with these ranges for users and groups. It takes a network namespace with it: the kernel lets
/// nobody mount a sysfs for a network that the user namespace does not own.
pub(crate) fn user<'r>(recipe: &'r mut Recipe, ranges: &[Value]) -> &'r mut Recipe {
    maps(recipe.new_namespace("user").new_namespace("network"), ranges)
}

/// These ranges for users and groups.
pub(crate) fn maps<'r>(recipe: &'r mut Recipe, ranges: &[Value]) -> &'r mut Recipe {
    recipe.set("/linux/uidMappings", ranges).set("/linux/gidMappings", ranges)
}

/// A new user namespace with the usual range.
pub(crate) fn usual_user(recipe: &mut Recipe) -> &mut Recipe {
    use plimsoll_engine::namespace_holder::{FIRST_ID, IDS};
    user(recipe, &[range(0, FIRST_ID, IDS)])
}

/// Takes down what a container without a mount namespace of its own has left in ours, which is that of the check alone.
pub(crate) fn unmount_below(lab: &Lab<'_>) -> StepResult {
    let below = lab.dir.to_string_lossy().into_owned();
    for mount in saved_mounts::mounts()?.iter().rev().filter(|mount| mount.point.starts_with(&below)) {
        umount2(mount.point.as_str(), MntFlags::MNT_DETACH)?;
    }
    Ok(())
}
