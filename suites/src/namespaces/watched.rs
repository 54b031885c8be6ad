//! What a container can access in the processes by which the runtime adds programs to it, or joins others to its pid namespace. With
//! `CAP_SYS_PTRACE` it may look into each process there, so none may have anything of the host: neither root, directory, namespaces and
//! descriptors, nor the environment of the runtime, nor a way to write its binary.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::Signal;
use nix::sys::stat::makedev;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::path;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::{Mount, Observation, own_namespace};
use plimsoll_engine::profile::Op;
use plimsoll_engine::saved_mounts;
use plimsoll_engine::settings::LEAK;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::{PATH, Sighting};
use plimsoll_reports::model::Axis;
use serde_json::json;

use super::{LIST, usual_user};
use crate::process::capabilities::{HELD, only};

/// How many programs are added while the container looks: a process that has something lets it be seen for a moment only.
const TIMES: usize = 30;

/// How often that is done again where the container could look into none of them.
const ROUNDS: usize = 5;

/// How many containers join.
const JOIN: usize = 10;

/// What lets it look, and what a container with many rights has beside that.
const RIGHTS: &[&str] = &[
    "CAP_SYS_PTRACE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SYS_ADMIN",
    "CAP_SYS_CHROOT",
];

fn mighty(recipe: &mut Recipe) -> &mut Recipe {
    only(recipe, HELD, RIGHTS)
}

/// For those that look into a process which is there anyhow.
const LOOKS: &[Need] = &[Need::HostView, Need::Capability("CAP_SYS_PTRACE"), Need::Capability("CAP_SYS_ADMIN")];

const SEES: &[Need] =
    &[Need::Operation(Op::Exec), Need::HostView, Need::Capability("CAP_SYS_PTRACE"), Need::Capability("CAP_SYS_ADMIN")];

/// The namespaces that are looked at, as in `/proc/PID/ns`.
const KINDS: [&str; 6] = ["mnt", "net", "ipc", "uts", "cgroup", "user"];

type Edits = fn(&mut Recipe) -> &mut Recipe;

macro_rules! watched {
    ($($id:literal, $edits:expr, $judge:expr;)*) => {
        &[$(Scenario::new(
            concat!("namespaces.pid.nothing-of-the-host/", $id),
            &[],
            &[Fault::ExecBeside("mnt")],
            |lab, out| adds(lab, out, $edits, $judge),
        ).axis(Axis::Security).needs(SEES)),*]
    };
}

macro_rules! hooked {
    ($id:literal, $faults:expr, $run:expr) => {
        Scenario::new(concat!("namespaces.pid.nothing-of-the-host/", $id), &[], $faults, $run)
            .axis(Axis::Security)
            .needs(LOOKS)
    };
}

pub(super) const SCENARIOS: &[Scenario] = watched! {
    "exec", mighty, nothing_but_the_container;
    "exec-in-a-user-namespace", |r| usual_user(mighty(r)).new_namespace("cgroup"), nothing_but_the_container;
};

/// A hook of the image looks into the init process, which is the runtime still. In a user namespace it cannot: that process has
/// executed nothing in there, so its memory belongs to the user namespace around.
pub(super) const HOOKED: &[Scenario] = &[
    hooked!("start-container-hook", &[Fault::Drop("/linux/namespaces/0")], |lab, out| {
        let (own, seen) = looks(lab)?;
        nothing_but_the_container(out, &own, &seen)
    }),
    hooked!(
        "environment-of-create",
        &[Fault::Push("/hooks/startContainer/0/args", "\"claim=PLIMSOLL_OF_THE_RUNTIME=1\"")],
        |lab, out| {
            let (_, seen) = looks(lab)?;
            no_variables(out, &seen)
        }
    )
    .advisory(SILENT),
];

fn looks(lab: &Lab<'_>) -> StepResult<(Observation, Vec<Sighting>)> {
    let container = lab.running(|r| mighty(r).hook("startContainer", "it", &["watch"]))?;
    let own = container.observe()?;
    let log = container.bundle.hook_log()?;
    container.finish_and_delete()?;
    Ok((own, log.into_iter().flat_map(|record| record.sightings).collect()))
}

/// Programs are added while the container looks.
fn adds(
    lab: &Lab<'_>,
    out: &mut Judgement,
    edits: Edits,
    judge: fn(&mut Judgement, &Observation, &[Sighting]) -> StepResult,
) -> StepResult {
    let container = lab.running(edits)?;
    let own = container.observe()?;
    let mut process = container.bundle.config.0["process"].clone();
    process["args"] = json!([PATH, "exit=0"]);
    let mut seen = Vec::new();
    // On a busy machine a program may have come and gone before anybody looks.
    for _ in 0..ROUNDS {
        seen = container.watch_while(|| (0..TIMES).try_for_each(|_| container.exec(&process)?.finish()?.ok()))?;
        if looked_into(&seen) > 0 || !lab.has_time() {
            break;
        }
    }
    container.finish_and_delete()?;
    judge(out, &own, &seen)
}

/// What was seen is on a mount of the container, or on a file system that the host has not mounted; a namespace is one of it.
fn nothing_but_the_container(out: &mut Judgement, own: &Observation, seen: &[Sighting]) -> StepResult {
    let mounts: BTreeSet<u64> = own.mounts.iter().map(|mount| mount.id).collect();
    let of_the_host = devices(&saved_mounts::mounts().unwrap_or_else(|why| panic!("our own mounts: {why}")));
    let own_namespaces = |seen: &Sighting| KINDS.iter().any(|kind| is_namespace(seen, own.namespace(kind)));
    none(out, seen, |seen| match is_of_namespaces(seen) {
        true => !own_namespaces(seen),
        false => of_the_host.contains(&seen.device) && !mounts.contains(&seen.mount),
    })
}

macro_rules! joins {
    ($($id:literal, $first:expr, $kinds:expr, $later:expr;)*) => {
        &[$(Scenario::new(
            concat!("namespaces.pid.nothing-of-the-host/", $id),
            &[],
            &[Fault::Drop("/linux/namespaces/2")],
            |lab, out| joins(lab, out, $first, $kinds, $later),
        ).axis(Axis::Security).advisory(SILENT).needs(SEES)),*]
    };
}

/// A pod that shares its processes: later containers join the pid namespace of the first. Whoever asks for that trusts the
/// first one somewhat, so this is a warning. A createContainer hook has the root of the host, and in a user namespace the
/// runtime has no more rights over a pid namespace of the host.
pub(super) const JOINED: &[Scenario] = joins! {
    "create-with-a-path", mighty, &["pid"], |r| r;
    "create-container-hook", mighty, &["pid"], hook;
    "create-container-hook-with-users", mighty, &["pid"], |r| hook(usual_user(r));
    "create-container-hook-of-joined-users", |r| usual_user(mighty(r)), &["pid", "user"], |r| hook(usual_user(r));
};

/// One that leaves no record, since the root of a user namespace cannot write to the root filesystem from outside.
fn hook(recipe: &mut Recipe) -> &mut Recipe {
    let args = json!(["probe", "hook", "it", "/dev/null"]);
    recipe.push("/hooks/createContainer", json!({ "path": "{probe}", "args": args }))
}

/// Containers that join namespaces of these kinds turn up while the first one looks.
fn joins(lab: &Lab<'_>, out: &mut Judgement, edits: Edits, kinds: &[&str], with: Edits) -> StepResult {
    let first = lab.running(edits)?;
    let entry = |kind: &str| json!({ "type": kind, "path": path(first.pid, kind) });
    let mut later = Vec::new();
    let seen = first.watch_while(|| {
        for _ in (0..JOIN).take_while(|_| lab.has_time()) {
            later.push(lab.running(|r| {
                kinds.iter().fold(with(r), |r, kind| r.inherit_namespace(kind).push(LIST, entry(kind)))
            })?);
        }
        Ok(())
    })?;
    let mut devices = devices(&first.observe()?.mounts);
    for container in &later {
        devices.extend(self::devices(&container.observe()?.mounts));
        container.kill(Signal::SIGKILL)?.ok()?;
        container.wait()?;
        container.delete()?.ok()?;
    }
    let of_the_host: BTreeSet<u64> = self::devices(&saved_mounts::mounts()?).difference(&devices).copied().collect();
    let root = std::fs::metadata("/")?;
    first.finish_and_delete()?;
    none(out, &seen, |seen| match is_of_namespaces(seen) {
        true => ["mnt", "ipc", "uts"].iter().any(|kind| is_namespace(seen, own_namespace(kind).ok().flatten())),
        false => of_the_host.contains(&seen.device) || (seen.device, seen.inode) == (root.dev(), root.ino()),
    })
}

const SILENT: &str = "the specification does not speak of processes that a runtime puts into a pid namespace";

/// The variables of the runtime may be secrets of its caller.
pub(super) const VARIABLES: &[Scenario] = &[Scenario::new(
    "namespaces.pid.nothing-of-the-host/environment-of-exec",
    &[],
    &[Fault::ExecBeside("mnt")],
    |lab, out| adds(lab, out, mighty, |out, _, seen| no_variables(out, seen)),
)
.axis(Axis::Security)
.advisory(SILENT)
.needs(SEES)];

fn no_variables(out: &mut Judgement, seen: &[Sighting]) -> StepResult {
    none(out, seen, |seen| seen.what == "environ" && seen.leads_to.starts_with(LEAK))
}

/// A read-only copy of the binary is how a runtime protects it from the container: that one may be visible.
/// Where the container could look into no process, nothing is known.
fn none(out: &mut Judgement, seen: &[Sighting], foreign: impl Fn(&&Sighting) -> bool) -> StepResult {
    let file = |seen: &Sighting| (seen.device, seen.inode);
    let sealed: BTreeSet<_> = seen.iter().filter(|seen| seen.what == "exe" && seen.sealed).map(file).collect();
    let found = seen.iter().filter(foreign).filter(|seen| !sealed.contains(&file(seen)));
    // How often, and in which order, is chance.
    let found: BTreeSet<_> = found.map(|seen| format!("{} is {}", seen.what, seen.leads_to)).collect();
    let few = found.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let what = "what a process of the runtime exposes in the container's pid namespace";
    out.expect(what, found.is_empty(), "nothing", few);
    if out.findings().is_empty() && looked_into(seen) == 0 {
        return Err(Stop::Skip("the container could look into no process of the runtime".to_owned()));
    }
    Ok(())
}

/// Into how many processes.
fn looked_into(seen: &[Sighting]) -> u64 {
    seen.iter().filter(|seen| seen.what == "root").map(|seen| seen.times).sum()
}

/// Those of `ns`, and descriptors of others.
fn is_of_namespaces(seen: &Sighting) -> bool {
    seen.what.starts_with("ns/") || KINDS.iter().any(|kind| seen.leads_to.starts_with(&format!("{kind}:[")))
}

fn is_namespace(seen: &Sighting, inode: Option<u64>) -> bool {
    inode.is_some_and(|inode| seen.leads_to.ends_with(&format!(":[{inode}]")))
}

/// The numbers of the file systems, as stat(2) has them.
fn devices(mounts: &[Mount]) -> BTreeSet<u64> {
    let number = |mount: &Mount| {
        let (major, minor) = mount.device.split_once(':')?;
        Some(makedev(major.parse().ok()?, minor.parse().ok()?))
    };
    mounts.iter().filter_map(number).collect()
}
