//! `linux.devices`: device nodes besides the default ones.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::describe::Octal;
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::{Config, Recipe};
use plimsoll_reports::model::Axis;
use serde_json::{Value, json};

pub(super) const LIST: &str = "/linux/devices";

/// Each listed device is there, with its kind and numbers, and with mode and owner where those are given: the specification
/// names no mode or owner of one without, so nothing of that is judged here.
const DEVICES: Rule = Rule::new(
    "linux.devices",
    &[
        "linux.devices.available",
        "linux.devices.type-values",
        "linux.devices.file-mode-effect",
        "linux.devices.uid-effect",
        "linux.devices.gid-effect",
    ],
    |config| config.list(LIST).iter().map(|device| Ask::Stat(path(device).into())).collect(),
    |config: &Config, evidence, out| {
        for device in config.list(LIST) {
            judge(device, evidence, out);
        }
    },
);

fn path(device: &Value) -> &str {
    device["path"].as_str().unwrap_or_default()
}

fn judge(device: &Value, evidence: &Evidence, out: &mut Judgement) {
    let path = path(device);
    let stat = match evidence.inside.stat(path) {
        Ok(stat) => stat,
        Err(refused) => return out.expect(path, false, "a device", refused),
    };
    let kind = match device["type"].as_str() {
        Some("b") => "block",
        Some("p") => "fifo",
        _ => "char",
    };
    out.expect_eq(&format!("kind of {path}"), stat.kind.as_str(), kind);
    let given = |name: &str, found: u32| device[name].as_u64().map(|wanted| (wanted, u64::from(found)));
    let found = [("fileMode", stat.mode & 0o777), ("uid", stat.uid), ("gid", stat.gid)];
    let numbers = [("major", stat.major), ("minor", stat.minor)];
    let numbers = numbers.into_iter().filter(|_| kind != "fifo");
    for (name, found) in found.into_iter().chain(numbers) {
        if let Some((wanted, found)) = given(name, found) {
            out.expect_eq(&format!("{name} of {path}"), found, wanted);
        }
    }
}

/// A device with mode 0600.
pub(super) fn device(path: &str, kind: &str, major: u32, minor: u32) -> Value {
    json!({ "path": path, "type": kind, "major": major, "minor": minor, "fileMode": 0o600 })
}

/// One case a row: the devices, and faulty runtimes.
macro_rules! devices {
    ($($name:literal, $devices:expr, $faults:expr;)*) => {
        &[$(Case::new(&DEVICES, $name, |r| r.set(LIST, $devices), $faults)),*]
    };
}

const DROP: &[Fault] = &[Fault::Drop(LIST)];
const MINOR: &[Fault] = &[Fault::Drop(LIST), Fault::Take("/linux/devices/0/minor", "5")];

pub(super) const CASES: &[Case] = devices! {
    "char", [device("/dev/plimsoll", "c", 10, 229)], &[Fault::Drop(LIST), Fault::Take("/linux/devices/0/type", "\"b\"")];
    "unbuffered", [device("/dev/plimsoll", "u", 10, 229)], DROP;
    "block", [device("/dev/plimsoll", "b", 7, 250)], &[Fault::Drop(LIST), Fault::Take("/linux/devices/0/type", "\"c\"")];
    "fifo", [json!({ "path": "/dev/plimsoll", "type": "p", "fileMode": 0o600 })],
        &[Fault::Drop(LIST), Fault::Take("/linux/devices/0/fileMode", "420")];
    "major-and-minor", [device("/dev/plimsoll", "c", 250, 3)], MINOR;
    "largest-minor", [device("/dev/plimsoll", "c", 10, 1_048_575)], MINOR;
    "minor-0", [device("/dev/plimsoll", "b", 7, 0)], MINOR;
    "file-mode", [json!({ "path": "/dev/plimsoll", "type": "c", "major": 10, "minor": 229, "fileMode": 432 })],
        &[Fault::Take("/linux/devices/0/fileMode", "282")];
    "file-mode-beyond-the-mask",
        [json!({ "path": "/dev/plimsoll", "type": "c", "major": 10, "minor": 229, "fileMode": 0o777 })],
        &[Fault::Take("/linux/devices/0/fileMode", "493")];
    "uid", [json!({ "path": "/dev/plimsoll", "type": "c", "major": 10, "minor": 229, "uid": 1000, "gid": 0 })],
        &[Fault::Drop("/linux/devices/0/uid")];
    "gid", [json!({ "path": "/dev/plimsoll", "type": "c", "major": 10, "minor": 229, "uid": 0, "gid": 1001 })],
        &[Fault::Drop("/linux/devices/0/gid")];
    "only-what-is-required", [json!({ "path": "/dev/plimsoll", "type": "c", "major": 10, "minor": 229 })], MINOR;
    "several", [
            device("/dev/a", "c", 10, 229), device("/dev/b", "b", 7, 250),
            json!({ "path": "/dev/c", "type": "p", "uid": 7, "gid": 8 }),
        ], &[Fault::DropLast(LIST), Fault::Drop("/linux/devices/0"), Fault::Drop("/linux/devices/2/uid")];
    "in-a-new-directory", [device("/dev/new/deep/plimsoll", "c", 10, 229)], DROP;
    "in-place-of-a-default-one", [json!({
            "path": "/dev/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 0o600, "uid": 5, "gid": 6
        })], DROP;
    "in-place-of-null", [json!({ "path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 0o600 })], DROP;
};

/// Without a mode, users count on a device that anybody may open whom the cgroup lets.
const DEFAULT_MODE: Rule = Rule::new(
    "linux.devices.default-mode",
    &["linux.devices.available"],
    |config| config.list(LIST).iter().map(|device| Ask::Stat(path(device).into())).collect(),
    |config, evidence, out| {
        for device in config.list(LIST).iter().filter(|device| device.get("fileMode").is_none()) {
            let mode = evidence.inside.stat(path(device)).map(|stat| Octal(stat.mode));
            out.expect_eq(&format!("mode of {}", path(device)), mode, Ok(Octal(0o666)));
        }
    },
)
.axis(Axis::Compat)
.advisory("the specification names no mode of a device without fileMode");

pub(super) const MODES: &[Case] = &[
    Case::new(&DEFAULT_MODE, "char", |r| r.set(LIST, [plain("c")]), &[Fault::Take("/linux/devices/0/fileMode", "384")]),
    Case::new(&DEFAULT_MODE, "fifo", |r| r.set(LIST, [plain("p")]), &[Fault::Take("/linux/devices/0/fileMode", "384")]),
];

/// A device with what is required alone.
fn plain(kind: &str) -> Value {
    match kind {
        "p" => json!({ "path": "/dev/plimsoll", "type": kind }),
        _ => json!({ "path": "/dev/plimsoll", "type": kind, "major": 10, "minor": 229 }),
    }
}

/// One device more than the first says what is peculiar to these.
pub(super) const ELSEWHERE: &[Case] = &[
    Case::new(
        &DEVICES,
        "outside-dev",
        |r| r.directory("/opt").set(LIST, [device("/opt/plimsoll", "c", 10, 229)]),
        DROP,
    ),
    Case::new(
        &DEVICES,
        "below-a-link",
        |r| r.directory("/real").symlink("/opt", "real").set(LIST, [device("/opt/plimsoll", "c", 10, 229)]),
        DROP,
    ),
    Case::new(&DEVICES, "outside-dev-in-a-new-directory", |r| r.set(LIST, [device("/a/b/x", "c", 10, 229)]), DROP),
    Case::new(
        &DEVICES,
        "in-the-root-filesystem",
        |r| super::default_devices::without_mount(r).set(LIST, [device("/dev/plimsoll", "c", 10, 229)]),
        DROP,
    ),
    Case::new(
        &DEVICES,
        "under-a-read-only-root",
        |r| r.set("/root/readonly", true).set(LIST, [device("/dev/plimsoll", "c", 10, 229)]),
        DROP,
    ),
];

/// In a user namespace nodes cannot be made: they are those of the host, with their mode and owner.
const OF_THE_HOST: Rule = Rule::new(
    "linux.devices.of-the-host",
    &["linux.devices.available", "linux.devices.any-mechanism"],
    |config| config.list(LIST).iter().map(|device| Ask::Stat(path(device).into())).collect(),
    |config, evidence, out| {
        for device in config.list(LIST) {
            let numbers = evidence.inside.stat(path(device)).map(|stat| (u64::from(stat.major), u64::from(stat.minor)));
            let wanted = (device["major"].as_u64().unwrap_or(0), device["minor"].as_u64().unwrap_or(0));
            out.expect_eq(path(device), numbers, Ok(wanted));
        }
    },
);

/// As for others, but those who run in the container own it.
const OWNED: Rule = Rule { id: "linux.devices.owner-in-a-user-namespace", ..DEVICES };

fn kmsg(recipe: &mut Recipe) -> &mut Recipe {
    crate::namespaces::usual_user(recipe)
        .set(LIST, [json!({ "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11 })])
}

pub(super) const IN_A_USER_NAMESPACE: &[Case] = &[
    Case::new(&OF_THE_HOST, "in-a-user-namespace", kmsg, DROP),
    Case::new(
        &ADVISED,
        "of-the-container",
        |r| kmsg(r).set("/linux/devices/0/uid", 5).set("/linux/devices/0/gid", 6),
        DROP,
    ),
];

/// A user namespace that is joined has its maps: the configuration need not repeat them.
pub(super) const IN_A_JOINED_USER_NAMESPACE: &[Scenario] = &[Scenario::new(
    "linux.devices.owner-in-a-joined-user-namespace/of-the-container",
    &["linux.devices.available"],
    &[Fault::Drop("/linux/devices"), Fault::Take("/linux/devices/0/uid", "7")],
    |lab, out| {
        let users = lab.hold_namespace("user")?;
        let node = json!({ "path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "uid": 5, "gid": 6 });
        let entry = json!({ "type": "user", "path": users.path("user") });
        let container =
            lab.running(|r| r.new_namespace("network").set(LIST, [node]).push("/linux/namespaces", entry))?;
        let stat = container.evidence(vec![Ask::Stat("/dev/kmsg".into())])?;
        let owner = stat.inside.stat("/dev/kmsg").map(|stat| (stat.uid, stat.gid));
        out.expect_eq("owner and group of /dev/kmsg", owner, Ok((5, 6)));
        container.finish_and_delete()
    },
)
.needs(&[Need::HostView, Need::Namespace("user")])
.advisory(ANY_MECHANISM)];

const ADVISED: Rule = OWNED.advisory(ANY_MECHANISM);

const ANY_MECHANISM: &str =
    "any mechanism will do, a bind mount of the host's node among them, which cannot have an owner of its own";
