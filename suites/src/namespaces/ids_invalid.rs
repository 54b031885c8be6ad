//! Invalid id mappings.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::namespace_holder::{FIRST_ID, IDS};
use plimsoll_engine::need::Need;
use serde_json::json;

use super::{range, usual_user};

/// One scenario a row: what is wrong with which map, and a runtime that does not look at it.
macro_rules! refused {
    ($cites:expr; $($id:literal, $pointer:literal, $value:expr, $good:literal;)*) => {
        &[$(Scenario {
            needs: &[Need::Namespace("user")],
            ..Scenario::new(
                concat!("namespaces.user.invalid/", $id),
                $cites,
                &[Fault::Take($pointer, $good)],
                |lab, out| lab.refuses(out, usual_user, |r| r.set($pointer, $value)),
            )
        }),*]
    };
}

const GOOD: [u32; 3] = [0, FIRST_ID, IDS];

pub(super) const SCENARIOS: &[Scenario] = refused! {
    &["config.values.invalid-error"];
    "overlapping-users", "/linux/uidMappings",
        [range(0, FIRST_ID, IDS), range(10, 2 * FIRST_ID, 10)],
        r#"[{"containerID":0,"hostID":100000,"size":65536}]"#;
    "overlapping-groups", "/linux/gidMappings",
        [range(0, FIRST_ID, IDS), range(70_000, FIRST_ID + 10, 10)],
        r#"[{"containerID":0,"hostID":100000,"size":65536}]"#;
    "size-of-nothing", "/linux/uidMappings/0", range(GOOD[0], GOOD[1], 0),
        r#"{"containerID":0,"hostID":100000,"size":65536}"#;
    "negative-id", "/linux/uidMappings/0/hostID", -1, "100000";
    "id-too-large", "/linux/uidMappings/0/hostID", 4_294_967_296_u64, "100000";
    "user-not-mapped", "/process/user/uid", IDS + 1, "0";
    "group-not-mapped", "/process/user/gid", IDS + 1, "0";
};

pub(super) const MEMBERS: &[Scenario] = refused! {
    &["linux.id-mappings.members-required", "config.values.invalid-error"];
    "no-size", "/linux/uidMappings/0", json!({ "containerID": 0, "hostID": FIRST_ID }),
        r#"{"containerID":0,"hostID":100000,"size":65536}"#;
    "no-host-id", "/linux/uidMappings/0", json!({ "containerID": 0, "size": IDS }),
        r#"{"containerID":0,"hostID":100000,"size":65536}"#;
    "no-container-id", "/linux/gidMappings/0", json!({ "hostID": FIRST_ID, "size": IDS }),
        r#"{"containerID":0,"hostID":100000,"size":65536}"#;
};
