//! Which cases hold under a circumstance: those that neither set what it sets, nor look at what it changes.

use plimsoll_engine::batch;
use plimsoll_engine::check::{Body, Case, Check};
use plimsoll_engine::circumstance::{Circumstance, Program};
use plimsoll_engine::need::Need;
use plimsoll_fixtures::{Edit, Recipe};

use crate::fuzz::bundle::conflict::clash;
use crate::fuzz::bundle::rules::{alone, is_in, touches};

/// Whether a check holds under a circumstance.
pub fn holds(check: &Check, circumstance: &Circumstance) -> bool {
    let Body::Case(case) = check.body else { return false };
    let edits = batch::recipe(case).edits;
    let mut base = Recipe::default();
    (circumstance.edits)(&mut base);
    let is_raw = edits.iter().any(|edit| matches!(edit, Edit::Raw(_)));
    !is_raw
        && !clash(&edits, &base.edits)
        && !touches(&base.edits, &alone(case.rule.id))
        && !touches(&edits, changed(circumstance))
        && !is_in(looked_at(circumstance), case.rule.id)
        && (circumstance.program == Program::First || is_about_a_process(case, &edits))
}

/// Members that a case must leave alone, since the circumstance bears on them.
fn changed(circumstance: &Circumstance) -> &'static [&'static str] {
    match circumstance.name {
        "exec" => &["/process/terminal"],
        // There is no place for terminals, and another root filesystem has no directory for devices.
        "no-dev-mount" => &["/process/terminal", "/process/consoleSize", "/root"],
        // There is no control group, nobody but root, and nothing that needs a privilege of the host.
        "rootless-one-id" => &[
            "/linux/resources",
            "/linux/cgroupsPath",
            "/linux/devices",
            "/linux/intelRdt",
            "/process/ioPriority",
            "/process/oomScoreAdj",
            "/process/rlimits",
            "/process/scheduler",
            "/process/user",
        ],
        // Nobody but root is there.
        "userns-one-id" => &["/process/user", "/linux/devices"],
        // The directory of the host's processes is the container's, too.
        "userns-host-pid" => &["/linux/sysctl", "/linux/maskedPaths", "/linux/readonlyPaths"],
        "userns-host-ipc" => &["/linux/sysctl"],
        "userns-host-uts" => &["/hostname", "/domainname", "/linux/sysctl"],
        "userns-host-net" => &["/linux/sysctl", "/linux/netDevices"],
        _ => &[],
    }
}

/// Rules that look at what the circumstance changes.
fn looked_at(circumstance: &Circumstance) -> &'static [&'static str] {
    match circumstance.name {
        // It is held against the caller, which is the harness where nothing stands between.
        "dirty-caller" => &["process.scheduler.unset", "process.exec-cpu-affinity.*"],
        // The terminal has the size of that of the caller.
        "run" | "run-terminal" => &["process.console-size.*"],
        // A directory of the host that others may not enter: root of the container is one of them.
        name if name.starts_with("userns") => &["mounts.tmpfs-mode", "mounts.root-mode-asked"],
        "no-dev-mount" => &["linux.default-devices.ptmx", "linux.default-filesystems.dev-*", "mounts.root-mode-asked"],
        // The container has its directory already, and a program that is added has the terminal of its caller.
        "exec" => &["process.cwd.missing", "process.terminal.*", "process.console-size.*"],
        _ => &[],
    }
}

/// Whether a case is about a process alone, and is judged from inside alone: that is all that is known of a program that was added.
fn is_about_a_process(case: &Case, edits: &[Edit]) -> bool {
    let of_process = |edit: &Edit| match edit {
        Edit::Set(at, _) | Edit::Push(at, _) | Edit::Remove(at) => at.starts_with("/process/"),
        other => other.path().is_some(),
    };
    let is_seen = case.rule.needs.iter().chain(case.needs).any(|need| *need == Need::HostView);
    case.rule.id.starts_with("process.") && !is_seen && case.rule.knobs.is_empty() && edits.iter().all(of_process)
}
