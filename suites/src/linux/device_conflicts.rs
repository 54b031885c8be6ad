//! Devices that cannot be created as listed, and devices that are not listed.

use std::path::Path;

use nix::libc;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{StepResult, Stop};
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Refused, Reply};
use plimsoll_fixtures::recipe::Edit;
use serde_json::json;

use super::devices::{LIST, device};

/// What lies at the path of the device already, in the root filesystem.
macro_rules! conflicts {
    ($($id:literal, $edits:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.devices.conflict/", $id),
            &["linux.devices.path-conflict-error"],
            &[Fault::Drop(LIST)],
            |lab, out| lab.refuses(out, $edits, |r| r.push(LIST, device("/there", "c", 10, 229))),
        )),*]
    };
}

pub(super) const CONFLICTS: &[Scenario] = conflicts! {
    "file", |r| r.file("/there", "x");
    "directory", |r| r.directory("/there");
    "link", |r| r.symlink("/there", "nowhere");
    "another-device", |r| r.edit(Edit::Device("rootfs/there".into(), 'c', 10, 230));
    "device-of-another-kind", |r| r.edit(Edit::Device("rootfs/there".into(), 'b', 10, 229));
};

/// What is wrong in an entry; the good one lists a device that works.
macro_rules! wrong {
    ($cites:expr; $($id:literal, $entry:expr;)*) => {
        &[$(Scenario::new(
            concat!("linux.devices.invalid/", $id),
            $cites,
            &[Fault::Drop("/linux/devices/1")],
            |lab, out| lab.refuses(
                out,
                |r| r.set(LIST, [device("/dev/good", "c", 10, 229)]),
                |r| r.push(LIST, $entry),
            ),
        )),*]
    };
}

pub(super) const INVALID: &[Scenario] = wrong! {
    &["config.values.invalid-error"];
    "unknown-type", device("/dev/plimsoll", "x", 10, 230);
    "type-of-two-letters", device("/dev/plimsoll", "cc", 10, 230);
    "empty-type", device("/dev/plimsoll", "", 10, 230);
    "minor-as-text", json!({ "path": "/dev/plimsoll", "type": "c", "major": 10, "minor": "230" });
    "major-too-large", json!({ "path": "/dev/plimsoll", "type": "c", "major": 4_294_967_296_u64, "minor": 1 });
};

pub(super) const INCOMPLETE: &[Scenario] = wrong! {
    &[
        "linux.devices.type-required",
        "linux.devices.path-required",
        "linux.devices.major-minor-required",
        "config.values.invalid-error",
    ];
    "no-type", json!({ "path": "/dev/plimsoll", "major": 10, "minor": 230 });
    "no-path", json!({ "type": "c", "major": 10, "minor": 230 });
    "relative-path", device("dev/plimsoll", "c", 10, 230);
    "no-major", json!({ "path": "/dev/plimsoll", "type": "c", "minor": 230 });
    "no-minor", json!({ "path": "/dev/plimsoll", "type": "c", "major": 10 });
    "no-numbers", json!({ "path": "/dev/plimsoll", "type": "b" });
};

pub(super) const SCENARIOS: &[Scenario] = &[SAME, USABLE, DENIED, UNLISTED];

/// A node that is what the entry asks for is no conflict.
const SAME: Scenario = Scenario::new(
    "linux.devices.conflict/none-with-the-same-device",
    &["linux.devices.available"],
    &[Fault::Fail(Op::Create)],
    |lab, out| {
        let container = lab.running(|r| {
            r.edit(Edit::Device("rootfs/there".into(), 'c', 10, 229)).set(LIST, [device("/there", "c", 10, 229)])
        })?;
        let stat = match container.ask(Ask::Stat("/there".into()))? {
            Ok(Reply::Stat(stat)) => Some((stat.kind, stat.major, stat.minor)),
            _ => None,
        };
        out.expect_eq("the device", stat, Some(("char".to_owned(), 10, 229)));
        container.finish_and_delete()
    },
);

/// A second `/dev/full` by another name does what it does, where the cgroup lets it through.
const USABLE: Scenario = Scenario::new(
    "linux.devices.usable",
    &["linux.devices.available"],
    &[Fault::Drop(LIST), Fault::Take("/linux/devices/0/minor", "3")],
    |lab, out| {
        let rule = json!({ "allow": true, "type": "c", "major": 1, "minor": 7, "access": "rwm" });
        let container =
            lab.running(|r| r.push("/linux/resources/devices", rule).set(LIST, [device("/dev/second", "c", 1, 7)]))?;
        let written = container.ask(Ask::Write { path: "/dev/second".into(), data: "x".into() })?;
        out.expect("writing to it", written.as_ref().is_err_and(Refused::is_denial), "an error: it is full", written);
        container.finish_and_delete()
    },
);

const MISC: [(u32, u32, &str); 4] =
    [(10, 229, "fuse"), (10, 237, "loop-control"), (10, 183, "hwrng"), (10, 235, "autofs")];

/// A device of this kernel that no runtime allows by itself, and that root without capabilities can open.
fn device_of_the_kernel(dir: &Path) -> StepResult<(u32, u32)> {
    for (major, minor, name) in MISC {
        let path = dir.join(name);
        mknod(&path, SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), makedev(major.into(), minor.into()))?;
        let works = std::fs::File::open(&path).is_ok();
        std::fs::remove_file(&path)?;
        if works {
            return Ok((major, minor));
        }
    }
    Err(Stop::Skip(format!("the kernel has none of the devices {}, or the harness may not open them", MISC.describe())))
}

/// The device is listed, and the rules of the cgroup deny it: being there does not make it usable.
const DENIED: Scenario = Scenario::new(
    "linux.devices.denied-by-the-cgroup",
    &["linux.resources.devices.effect"],
    &[Fault::Take("/linux/resources/devices/0/allow", "true")],
    |lab, out| {
        let (major, minor) = device_of_the_kernel(&lab.dir)?;
        let node = "/dev/plimsoll";
        let container = lab.running(|r| {
            r.push("/linux/resources/devices", json!({ "allow": false, "access": "rwm" }))
                .set(LIST, [device(node, "c", major, minor)])
        })?;
        let opened = container.ask(Ask::Open { path: node.into(), flags: libc::O_RDONLY })?;
        out.expect("opening it", opened.as_ref().is_err_and(Refused::is_denial), "denied", opened);
        container.finish_and_delete()
    },
);

/// A node in the image that is neither listed nor one of the default devices.
const UNLISTED: Scenario = Scenario::new(
    "linux.devices.not-listed",
    &["linux.devices.no-other-device-access"],
    &[Fault::Take("/linux/resources", r#"{"devices":[{"allow":true,"access":"rwm"}]}"#)],
    |lab, out| {
        let (major, minor) = device_of_the_kernel(&lab.dir)?;
        let container = lab.running(|r| {
            r.push("/linux/resources/devices", json!({ "allow": false, "access": "rwm" })).edit(Edit::Device(
                "rootfs/node".into(),
                'c',
                major,
                minor,
            ))
        })?;
        let opened = container.ask(Ask::Open { path: "/node".into(), flags: libc::O_RDONLY })?;
        out.expect("opening it", opened.as_ref().is_err_and(Refused::is_denial), "denied", opened);
        container.finish_and_delete()
    },
)
.advisory("the clause says MAY NOT, which is no key word of RFC 2119 and can be read both ways");
