//! Every circumstance.

use plimsoll_engine::caller::CallerState;
use plimsoll_engine::circumstance::{Circumstance, Program};
use plimsoll_engine::namespace_holder::{FIRST_ID, IDS};
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_engine::way::Way;
use plimsoll_fixtures::Recipe;

use crate::fuzz::bundle::fragment::with_mount_points;
use crate::namespaces::{maps, range};

/// In the order of a report.
pub const ALL: &[Circumstance] = &[
    Circumstance::new(
        "dirty-caller",
        "the caller has ignored and blocked signals, one processor, low limits, open descriptors, a umask of 077",
    )
    .caller(CallerState::Dirty)
    // They are held against the caller, which is the harness where nothing stands between.
    .without(&["process.scheduler.unset", "process.exec-cpu-affinity.*"]),
    Circumstance::new("old-kernel-calls", "openat2, clone3, close_range, the mount calls and pidfd_open answer ENOSYS")
        .caller(CallerState::Without(NEW_CALLS))
        .may_refuse("it may need system calls that are not there"),
    Circumstance::new("userns", "a new user namespace with a range of ids, and a network namespace that it owns")
        .needs(USER)
        .base(|r| ranges(r).new_namespace("network"), with_mount_points)
        .without(PRIVATE),
    Circumstance::new("userns-one-id", "a new user namespace in which root alone has an id")
        .needs(USER)
        .base(|r| one_id(r).new_namespace("network"), with_mount_points)
        .members(&["/process/user", "/linux/devices"])
        .without(PRIVATE),
    Circumstance::new("userns-host-net", "a new user namespace, and the network of the host")
        .needs(USER)
        .base(ranges, with_mount_points)
        .members(&["/linux/sysctl", "/linux/netDevices"])
        .without(PRIVATE)
        .may_refuse(NOT_ITS_OWN),
    Circumstance::new("userns-host-pid", "a new user namespace, and the processes of the host")
        .needs(USER)
        .base(|r| ranges(r.inherit_namespace("pid")).new_namespace("network"), with_mount_points)
        // The directory of the host's processes is the container's, too.
        .members(&["/linux/sysctl", "/linux/maskedPaths", "/linux/readonlyPaths"])
        .without(PRIVATE)
        .may_refuse(NOT_ITS_OWN),
    Circumstance::new("userns-host-ipc", "a new user namespace, and the message queues of the host")
        .needs(USER)
        .base(|r| ranges(r.inherit_namespace("ipc")).new_namespace("network"), with_mount_points)
        .members(&["/linux/sysctl"])
        .without(PRIVATE)
        .may_refuse(NOT_ITS_OWN),
    Circumstance::new("userns-host-uts", "a new user namespace, and the host name of the host")
        .needs(USER)
        .base(|r| ranges(r.inherit_namespace("uts")).new_namespace("network"), with_mount_points)
        .members(&["/hostname", "/domainname", "/linux/sysctl"])
        .without(PRIVATE),
    Circumstance::new(
        "rootless-one-id",
        "a user without privileges calls, whose id is that of root in the container; no control group",
    )
    .needs(USER)
    .base(|r| one_id(r).new_namespace("network").remove("/linux/cgroupsPath"), with_mount_points)
    .caller(CallerState::User(FIRST_ID))
    // What needs a control group, another user, or a privilege of the host.
    .members(&[
        "/linux/resources",
        "/linux/cgroupsPath",
        "/linux/devices",
        "/linux/intelRdt",
        "/process/ioPriority",
        "/process/oomScoreAdj",
        "/process/rlimits",
        "/process/scheduler",
        "/process/user",
    ]),
    Circumstance::new("read-only-root", "the root filesystem is read-only")
        .base(|r| r.set("/root/readonly", true), |r| r),
    Circumstance::new("no-dev-mount", "nothing is mounted at /dev, which is a directory of the root filesystem")
        .base(
            |r| r.directory("/dev").remove("/mounts/1").remove("/mounts/1").remove("/mounts/1").remove("/mounts/1"),
            |r| r,
        )
        // There is no place for terminals, and another root filesystem has no directory for devices.
        .members(&["/process/terminal", "/process/consoleSize", "/root"])
        .without(&["linux.default-devices.ptmx", "linux.default-filesystems.dev-*", "mounts.root-mode-asked"]),
    Circumstance::new("no-pivot", "create --no-pivot, for root filesystems in a ramdisk")
        .needs(&[Need::Option(Op::Create, "no-pivot")])
        .option("no-pivot")
        .may_refuse("what it asks for may not be safe without pivot_root"),
    Circumstance::new("terminal", "the program has a terminal").base(|r| r.set("/process/terminal", true), |r| r),
    Circumstance::new("run", "run in the foreground instead of create and start")
        .needs(&[Need::Operation(Op::Run)])
        .without(SIZE)
        .by(Way::Run, Program::First, UNSPECIFIED),
    Circumstance::new("run-terminal", "run in the foreground of a terminal")
        .needs(&[Need::Operation(Op::Run)])
        .base(|r| r.set("/process/terminal", true), |r| r)
        .without(SIZE)
        .by(Way::Run, Program::First, UNSPECIFIED),
    Circumstance::new("run-detached", "run --detach instead of create and start")
        .needs(&[Need::Option(Op::Run, "detach")])
        .by(Way::RunDetached, Program::First, UNSPECIFIED),
    Circumstance::new("exec", "the process is one that exec adds to a running container")
        .needs(&[Need::Option(Op::Exec, "process")])
        // The container has its directory already, and a program that is added has the terminal of its caller.
        .members(&["/process/terminal"])
        .without(&["process.cwd.missing", "process.terminal.*", "process.console-size.*"])
        .by(Way::Create, Program::Added, UNSPECIFIED),
];

/// Rules with a directory of the host that others may not enter, of whom root of the container is one.
const PRIVATE: &[&str] = &["mounts.tmpfs-mode", "mounts.root-mode-asked"];

/// Rules about the size of a terminal, which is that of the caller's.
const SIZE: &[&str] = &["process.console-size.*"];

const USER: &[Need] = &[Need::Namespace("user"), Need::HostView];

/// Why a container may be refused that keeps a namespace which its user namespace does not own.
const NOT_ITS_OWN: &str = "the kernel mounts no file system of a namespace that the user namespace does not own";

/// Why a breach is a warning where an operation is used that the specification does not have.
const UNSPECIFIED: &str = "the specification has neither run nor exec; those who use them rely on it";

/// System calls of Linux 5.2 to 6.8 that runtimes use where they are there.
const NEW_CALLS: &[&str] = &[
    "openat2",
    "clone3",
    "close_range",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "mount_setattr",
    "pidfd_open",
    "pidfd_getfd",
    "faccessat2",
    "statmount",
    "listmount",
];

fn ranges(recipe: &mut Recipe) -> &mut Recipe {
    maps(recipe.new_namespace("user"), &[range(0, FIRST_ID, IDS)])
}

fn one_id(recipe: &mut Recipe) -> &mut Recipe {
    maps(recipe.new_namespace("user"), &[range(0, FIRST_ID, 1)])
}
