//! Device rules hold once they are applied, and not before.

use plimsoll_runtime::config::Resources;

use crate::member::MemberProcess;
use crate::place::Room;

/// `/dev/kmsg`, which no container has.
const FOREIGN: &str = "open /dev/kmsg";

#[test]
fn rules_hold_from_the_moment_they_are_applied() {
    let Some(room) = Room::make("devices") else { return };
    let mut member = MemberProcess::start(&*room.cgroup, room.unified().as_deref());
    assert_eq!(member.tell(FOREIGN), "ok");
    let rules: Resources = serde_json::from_str(
        r#"{"devices":[{"allow":false},{"allow":false,"type":"c","major":1,"minor":7,"access":"r"}]}"#,
    )
    .unwrap();
    let device_rules = room.cgroup.prepare_device_rules(&rules.devices).unwrap();
    assert_eq!(member.tell(FOREIGN), "ok");
    device_rules.apply().unwrap();
    let denied = libc::EPERM.to_string();
    assert_eq!(member.tell(FOREIGN), denied);
    assert_eq!(member.tell("open /dev/zero"), "ok");
    assert_eq!(member.tell("open /dev/full"), denied);
}

#[test]
fn no_rules_leave_all_devices() {
    let Some(room) = Room::make("no-rules") else { return };
    let mut member = MemberProcess::start(&*room.cgroup, room.unified().as_deref());
    room.cgroup.prepare_device_rules(&[]).unwrap().apply().unwrap();
    assert_eq!(member.tell(FOREIGN), "ok");
}
