//! Filesystems that a container has whether or not `mounts` lists them (`config-linux.md#default-filesystems`).

use libc::{DEVPTS_SUPER_MAGIC, PROC_SUPER_MAGIC, TMPFS_MAGIC};
use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::evidence::Evidence;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::Judgement;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::{Ask, Reply};

/// As in linux/magic.h.
const SYSFS_MAGIC: i64 = 0x6265_6572;

/// The rule of one filesystem, by its magic number.
macro_rules! filesystem {
    ($name:literal, $path:literal, $magic:expr) => {
        &Rule::new(
            concat!("linux.default-filesystems.", $name),
            &[concat!("linux.default-filesystems.", $name)],
            |_| vec![Ask::Statfs($path.to_owned())],
            |_, evidence, out| judge($path, $magic, evidence, out),
        )
    };
}

fn judge(path: &str, magic: i64, evidence: &Evidence, out: &mut Judgement) {
    match evidence.inside.get(&Ask::Statfs(path.to_owned())) {
        Ok(Reply::Statfs(found)) => {
            out.expect_eq(&format!("magic number of the filesystem at {path}"), found.magic, magic);
        }
        other => out.expect(path, false, "a filesystem", other),
    }
}

/// Nothing less would do: the mount is not in the configuration, so no wrong reading of it makes a difference.
const NO_CONTAINER: &[Fault] = &[Fault::Ignore(Op::Start)];

pub(super) const CASES: &[Case] = &[
    Case::new(
        filesystem!("proc", "/proc", PROC_SUPER_MAGIC),
        "configured",
        |r| r,
        &[Fault::Drop("/mounts/0"), Fault::Take("/mounts/0/type", "\"tmpfs\"")],
    ),
    Case::new(
        filesystem!("sys", "/sys", SYSFS_MAGIC),
        "configured",
        |r| r,
        &[Fault::Drop("/mounts/5"), Fault::Take("/mounts/5/type", "\"tmpfs\"")],
    ),
    Case::new(
        filesystem!("dev-pts", "/dev/pts", DEVPTS_SUPER_MAGIC),
        "configured",
        |r| r,
        &[Fault::Drop("/mounts/2"), Fault::Take("/mounts/2/type", "\"tmpfs\"")],
    ),
    Case::new(
        filesystem!("dev-shm", "/dev/shm", TMPFS_MAGIC),
        "configured",
        |r| r,
        &[Fault::Take("/mounts/3/destination", "\"/elsewhere\""), Fault::Take("/mounts/3/type", "\"mqueue\"")],
    ),
    Case::new(
        filesystem!("proc", "/proc", PROC_SUPER_MAGIC),
        "not-configured",
        |r| r.remove("/mounts/0"),
        NO_CONTAINER,
    ),
    Case::new(filesystem!("sys", "/sys", SYSFS_MAGIC), "not-configured", |r| r.remove("/mounts/5"), NO_CONTAINER),
    Case::new(
        filesystem!("dev-pts", "/dev/pts", DEVPTS_SUPER_MAGIC),
        "not-configured",
        |r| r.remove("/mounts/2"),
        NO_CONTAINER,
    ),
    Case::new(
        filesystem!("dev-shm", "/dev/shm", TMPFS_MAGIC),
        "not-configured",
        |r| r.remove("/mounts/3"),
        NO_CONTAINER,
    ),
];
