//! Where a hook executes, and where its path is looked up.

use std::collections::BTreeMap;

use nix::unistd::getpid;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::Observation;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::PATH as IN_ROOTFS;

use super::failure::{SILENT, advise, provoke, tidy_up};
use super::kind::{self, IT, Kind, Lifecycle, long_annotation, names};

macro_rules! execution {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.execution-namespace/", $slug),
            &[concat!("config.hooks.", $slug, ".execution-namespace")],
            &[
                Fault::Move(concat!("/hooks/", $member), concat!("/hooks/", $beside)),
                Fault::Drop(concat!("/hooks/", $member)),
            ],
            |lab, out| execution(&kind::$kind, lab, out),
        )
        .needs(&[Need::HostView])
    };
}

macro_rules! path {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.path/", $slug),
            &[concat!("config.hooks.", $slug, ".path-resolution"), "config.hooks.entry.path-executed"],
            &[
                Fault::Drop(concat!("/hooks/", $member)),
                Fault::Take(concat!("/hooks/", $member, "/0/path"), "\"/nowhere/probe\""),
            ],
            |lab, out| path(&kind::$kind, lab, out),
        )
    };
}

macro_rules! other_root {
    ($kind:ident, $member:literal, $slug:literal, $when:literal, $elsewhere:literal, $beside:literal) => {
        Scenario::new(
            concat!("hooks.path-of-other-root/", $slug),
            &[
                concat!("config.hooks.", $slug, ".path-resolution"),
                "config.hooks.entry.path-executed",
                concat!("runtime.lifecycle.", $slug, "-failure-error"),
                concat!("runtime.lifecycle.", $slug, "-failure-stops-container"),
            ],
            &[Fault::Drop(concat!("/hooks/", $member)), SILENT],
            |lab, out| other_root(&kind::$kind, lab, out),
        )
    };
}

pub(super) const EXECUTION: &[Scenario] = for_each_kind!(execution);
pub(super) const PATH: &[Scenario] = for_each_kind!(path);
pub(super) const OTHER_ROOT: &[Scenario] = for_each_kind!(living other_root);

/// The name in `/proc/PID/ns` of a type of namespace.
pub(super) fn in_proc(kind: &str) -> &str {
    match kind {
        "mount" => "mnt",
        "network" => "net",
        other => other,
    }
}

/// The types of namespaces that the configuration asks for, by their names in `/proc/PID/ns`.
pub(super) fn asked_for(config: &Config) -> Vec<&str> {
    let kinds = config.list("/linux/namespaces").iter().filter_map(|entry| entry["type"].as_str());
    kinds.map(in_proc).collect()
}

/// The same namespace as a process has, written as `/proc/PID/ns` does.
pub(super) fn of_process(process: &Observation, name: &str) -> Option<String> {
    process.namespace(name).map(|inode| format!("{name}:[{inode}]"))
}

/// A hook of the runtime shares each namespace with the harness, which is where the runtime was called; a hook of the
/// container shares those that the container was to have of its own.
fn execution(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    const ALL: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];
    let lifecycle = Lifecycle::of(lab, |r| r.new_namespace("network").hook(kind.member, IT, &[]))?;
    let harness = Observation::of(getpid())?;
    let (names, process) = match &lifecycle.process {
        Some(container) if kind.in_namespaces => (asked_for(&lifecycle.bundle.config), container),
        _ => (ALL.to_vec(), &harness),
    };
    let expected: BTreeMap<&str, String> =
        names.into_iter().filter_map(|name| Some((name, of_process(process, name)?))).collect();
    let observed: BTreeMap<&str, String> =
        lifecycle.record(IT)?.namespaces.iter().map(|(n, t)| (n.as_str(), t.clone())).collect();
    let observed = observed.into_iter().filter(|(name, _)| expected.contains_key(name)).collect::<BTreeMap<_, _>>();
    out.expect_eq("namespaces of the hook", observed, expected);
    Ok(())
}

/// Each bundle has the probe at `/probe` of its root, and the host has it elsewhere.
fn path(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &[]))?;
    let record = lifecycle.record(IT)?;
    out.expect_eq(
        "the file that the hook executes",
        Some(record.exe.as_str()),
        lifecycle.bundle.config.text(&kind.pointer("/0/path")),
    );
    out.expect_eq("whether the hook has the root of the container", record.in_rootfs, kind.in_rootfs);
    Ok(())
}

/// A path that leads to a program in the other root alone leads nowhere: the hook fails.
fn other_root(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    advise(kind, lab, out)?;
    let path = if kind.in_rootfs { "{probe}" } else { IN_ROOTFS };
    let bundle = lab.bundle(|r| {
        r.set("/annotations", long_annotation()).hook(kind.member, IT, &[]).set(&kind.pointer("/0/path"), path)
    })?;
    if let Some(container) = provoke(lab, kind, &bundle, out)? {
        tidy_up(lab, &container)?;
    }
    out.expect_eq("hooks that ran", names(&bundle.hook_log()?), [""; 0]);
    Ok(())
}
