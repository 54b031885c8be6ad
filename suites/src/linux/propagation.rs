//! `linux.rootfsPropagation` (`config-linux.md#rootfs-mount-propagation`).

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::recipe::Edit;
use plimsoll_fixtures::{Config, Recipe};

const FIELD: &str = "/linux/rootfsPropagation";

/// The rule of one value: the tags of the mount at `/`.
macro_rules! root_is {
    ($value:literal) => {
        &Rule::by_host(
            concat!("linux.rootfs-propagation.", $value),
            &[concat!("linux.rootfs-propagation.", $value)],
            |config, evidence, out| judge($value, config, evidence.host().mount_at("/"), out),
        )
    };
}

fn judge(value: &str, config: &Config, root: Option<&plimsoll_engine::observer::Mount>, out: &mut Judgement) {
    if config.text(FIELD) != Some(value) {
        return;
    }
    let tags = root.map(|mount| mount.tags.as_slice()).unwrap_or_default();
    let has = |tag: &str| tags.iter().any(|has| has.starts_with(tag));
    let met = match value {
        "shared" => has("shared:"),
        "slave" => has("master:") && !has("shared:"),
        "unbindable" => has("unbindable"),
        _ => tags.is_empty(),
    };
    out.expect("tags of /", root.is_some() && met, value, root);
}

/// A root filesystem that is a shared mount of the host, so that every kind of propagation makes a difference.
fn shared_root(recipe: &mut Recipe) -> &mut Recipe {
    recipe.tmpfs_beside("shared", &["shared"]).edit(Edit::Probe("shared/probe".to_owned()));
    for name in ["proc", "sys", "dev", "later"] {
        recipe.directory_beside(&format!("shared/{name}"));
    }
    recipe.set("/root/path", "shared")
}

const TAKEN_FOR_SHARED: &[Fault] = &[Fault::Take(FIELD, "\"shared\"")];
const TAKEN_FOR_PRIVATE: &[Fault] = &[Fault::Take(FIELD, "\"private\"")];
const TAKEN_FOR_SLAVE: &[Fault] = &[Fault::Take(FIELD, "\"slave\""), Fault::Take("/root/path", "\"rootfs\"")];

pub(super) const CASES: &[Case] = &[
    Case::new(root_is!("shared"), "of-a-shared-mount", |r| shared_root(r).set(FIELD, "shared"), TAKEN_FOR_PRIVATE),
    Case::new(root_is!("slave"), "of-a-shared-mount", |r| shared_root(r).set(FIELD, "slave"), TAKEN_FOR_PRIVATE),
    Case::new(root_is!("private"), "of-a-shared-mount", |r| shared_root(r).set(FIELD, "private"), TAKEN_FOR_SHARED),
    Case::new(
        root_is!("unbindable"),
        "of-a-shared-mount",
        |r| shared_root(r).set(FIELD, "unbindable"),
        TAKEN_FOR_PRIVATE,
    ),
    Case::new(root_is!("shared"), "of-a-private-mount", |r| r.set(FIELD, "shared"), TAKEN_FOR_PRIVATE),
    Case::new(root_is!("private"), "of-a-private-mount", |r| r.set(FIELD, "private"), TAKEN_FOR_SHARED),
    Case::new(root_is!("unbindable"), "of-a-private-mount", |r| r.set(FIELD, "unbindable"), TAKEN_FOR_PRIVATE),
];

/// The host mounts something in the root filesystem while the container runs; `expected` says whether it is seen.
fn later_mount(lab: &Lab<'_>, out: &mut Judgement, value: &str, expected: bool) -> StepResult {
    let container = lab.running(|r| shared_root(r).set(FIELD, value))?;
    lab.mount_tmpfs(&container.bundle.dir.join("shared/later"))?;
    let place = container.ask(Ask::Stat("/later".into()))?;
    out.expect("/later, where it would be seen", place.is_ok(), "is there", place);
    let seen = container.observe()?.mount_at("/later").is_some();
    out.expect_eq("a mount of the host at /later is seen inside", seen, expected);
    container.finish_and_delete()
}

/// `shared` makes a group of the container's own: its number is none that a mount of the host has.
fn apart_from_the_host(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let container = lab.running(|r| shared_root(r).set(FIELD, "shared"))?;
    let inside = container.observe()?;
    let group = inside.mount_at("/").and_then(|root| root.tags.iter().find(|tag| tag.starts_with("shared:")).cloned());
    out.expect("tags of /", group.is_some(), "shared", inside.mount_at("/"));
    let host = plimsoll_engine::saved_mounts::mounts()?;
    let peers: Vec<_> =
        host.iter().filter(|mount| group.as_ref().is_some_and(|group| mount.tags.contains(group))).collect();
    out.expect("mounts of the host in the group of /", peers.is_empty(), "none", &peers);
    container.finish_and_delete()
}

fn refused(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    lab.running(|r| r.set(FIELD, "private"))?.finish_and_delete()?;
    let bundle = lab.bundle(|r| r.set(FIELD, "plimsoll"))?;
    lab.try_create(&bundle)?.outcome.refused()?;
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect("state after the refused create", !state.succeeded(), "an error", state.said());
    Ok(())
}

const HOST_VIEW: &[Need] = &[Need::HostView];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "linux.rootfs-propagation.slave/sees-later-mounts-of-the-host",
        &["linux.rootfs-propagation.slave"],
        TAKEN_FOR_PRIVATE,
        |lab, out| later_mount(lab, out, "slave", true),
    )
    .needs(HOST_VIEW),
    Scenario::new(
        "linux.rootfs-propagation.private/sees-no-later-mounts-of-the-host",
        &["linux.rootfs-propagation.private"],
        TAKEN_FOR_SLAVE,
        |lab, out| later_mount(lab, out, "private", false),
    )
    .needs(HOST_VIEW),
    Scenario::new(
        "linux.rootfs-propagation.shared/is-a-group-of-its-own",
        &["linux.rootfs-propagation.shared"],
        TAKEN_FOR_PRIVATE,
        apart_from_the_host,
    )
    .needs(HOST_VIEW),
    Scenario::new(
        "linux.rootfs-propagation.values/unknown-is-refused",
        &["linux.rootfs-propagation.values", "config.values.invalid-error"],
        &[Fault::Drop(FIELD), Fault::Succeed(Op::Create)],
        refused,
    ),
];
