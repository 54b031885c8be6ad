//! What create has and has not made when its hooks run.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::{Mount, mountinfo};
use plimsoll_fixtures::probe::Seen;

use super::kind::{CREATE_CONTAINER, CREATE_RUNTIME, IT, Kind, Lifecycle, PRESTART};
use super::namespaces::{asked_for, of_process};

/// A faulty runtime does not run them, or only when all is over.
macro_rules! seen {
    ($id:literal, $cites:expr, $member:literal, $run:expr) => {
        Scenario::new(
            $id,
            $cites,
            &[Fault::Drop(concat!("/hooks/", $member)), Fault::Move(concat!("/hooks/", $member), "/hooks/poststop")],
            $run,
        )
        .needs(&[Need::HostView])
    };
}

pub(super) const SCENARIOS: &[Scenario] = &[
    seen!(
        "hooks.environment/prestart-after-namespaces",
        &["config.hooks.prestart.after-environment", "config.hooks.prestart.can-customise-namespaces"],
        "prestart",
        |lab, out| namespaces_are_there(&PRESTART, lab, out)
    ),
    seen!(
        "hooks.environment/create-runtime-after-namespaces",
        &["config.hooks.create-runtime.after-environment"],
        "createRuntime",
        |lab, out| namespaces_are_there(&CREATE_RUNTIME, lab, out)
    ),
    seen!(
        "hooks.environment/prestart-before-pivot",
        &["config.hooks.prestart.before-pivot"],
        "prestart",
        |lab, out| root_is_not_yet_changed(&PRESTART, lab, out)
    ),
    seen!(
        "hooks.environment/create-runtime-before-pivot",
        &["config.hooks.create-runtime.before-pivot"],
        "createRuntime",
        |lab, out| root_is_not_yet_changed(&CREATE_RUNTIME, lab, out)
    ),
    seen!(
        "hooks.environment/create-runtime-after-mounts",
        &["config.hooks.create-runtime.after-environment", "config.hooks.create-runtime.minimum-guarantee"],
        "createRuntime",
        |lab, out| mounts_are_there(&CREATE_RUNTIME, lab, out)
    ),
    seen!(
        "hooks.environment/create-container-after-mounts",
        &["config.hooks.create-container.after-environment", "config.hooks.create-container.minimum-guarantee"],
        "createContainer",
        |lab, out| mounts_are_there(&CREATE_CONTAINER, lab, out)
    ),
    seen!(
        "hooks.environment/create-container-before-pivot",
        &["config.hooks.create-container.before-pivot"],
        "createContainer",
        create_container_has_the_old_root
    ),
];

/// The container's process as the hook found it by the state.
fn seen(lifecycle: &Lifecycle) -> StepResult<&Seen> {
    let record = lifecycle.record(IT)?;
    record.container.as_ref().ok_or_else(|| {
        Stop::broken("the process that the state names", "there when the hook runs", record.stdin.clone())
    })
}

/// The process is in the namespaces already that it has when create returns.
fn namespaces_are_there(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.new_namespace("network").hook(kind.member, IT, &[]))?;
    for name in asked_for(&lifecycle.bundle.config) {
        let created = lifecycle.process.as_ref().and_then(|process| of_process(process, name));
        out.expect_eq(&format!("{name} namespace"), seen(&lifecycle)?.namespaces.get(name), created.as_ref());
    }
    out.expect_eq("runs of the hook when create returns", lifecycle.runs(IT)[0], 1);
    Ok(())
}

fn root_is_not_yet_changed(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(kind.member, IT, &[]))?;
    out.expect_eq("whether the container's process has its new root", seen(&lifecycle)?.in_rootfs, false);
    out.expect_eq("runs of the hook when create returns", lifecycle.runs(IT)[0], 1);
    Ok(())
}

/// The configured mounts are there below the root filesystem: the new root is not yet in place.
fn mounts_are_there(kind: &Kind, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.mount("/extra", "tmpfs", "tmpfs", &[]).hook(kind.member, IT, &[]))?;
    let text = if kind.in_namespaces { &lifecycle.record(IT)?.mounts } else { &seen(&lifecycle)?.mounts };
    let mounts: Vec<Mount> = mountinfo::parse(text)?;
    for mount in lifecycle.bundle.config.list("/mounts") {
        let point = format!("{}{}", lifecycle.bundle.rootfs().display(), mount["destination"].as_str().unwrap_or(""));
        let found = mountinfo::mount_at(&mounts, &point);
        let kind = found.map(|mount| mount.kind.as_str());
        out.expect_eq(&format!("type of the mount at {point}"), kind, mount["type"].as_str());
    }
    Ok(())
}

fn create_container_has_the_old_root(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let lifecycle = Lifecycle::of(lab, |r| r.hook(CREATE_CONTAINER.member, IT, &[]))?;
    let record = lifecycle.record(IT)?;
    out.expect_eq("whether the hook has the root of the container", record.in_rootfs, false);
    let own = lifecycle.process.as_ref().and_then(|process| of_process(process, "mnt"));
    out.expect_eq("mount namespace of the hook", record.namespaces.get("mnt"), own.as_ref());
    out.expect_eq("runs of the hook when create returns", lifecycle.runs(IT)[0], 1);
    Ok(())
}
