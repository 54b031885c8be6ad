//! Each type of namespace: new if it is listed without a path, inherited from the runtime if it is not listed.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::{kernel_name, kinds};
use plimsoll_engine::need::Need;
use plimsoll_engine::observer::own_namespace;
use plimsoll_fixtures::{Config, Recipe};

use super::{LIST, unmount_below, usual_user};

/// A type that is listed without a path is another one than ours.
const NEW: Rule = Rule::by_host("namespaces.new", &["linux.namespaces.no-path-new"], |config, evidence, out| {
    for kind in kinds().filter(|kind| config.namespace(kind).is_some_and(|entry| entry.get("path").is_none())) {
        let name = kernel_name(kind);
        let (own, found) = (own(name), evidence.host().namespace(name));
        out.expect(kind, found.is_some() && found != own, format!("another one than {}", own.describe()), found);
    }
});

/// A type that is not listed is ours, since the runtime runs in it.
const INHERITED: Rule =
    Rule::by_host("namespaces.inherited", &["linux.namespaces.unlisted-inherited"], |config, evidence, out| {
        for kind in unlisted(config) {
            let name = kernel_name(kind);
            out.expect_eq(kind, evidence.host().namespace(name), own(name));
        }
    });

fn unlisted(config: &Config) -> impl Iterator<Item = &'static str> {
    kinds().filter(|kind| config.namespace(kind).is_none())
}

/// Our own namespace. A failure to see it is one of the harness.
fn own(name: &str) -> Option<u64> {
    own_namespace(name).unwrap_or_else(|why| panic!("our own {name} namespace: {why}"))
}

/// The list of a runtime that makes every namespace new.
const EVERY_ONE_NEW: Fault = Fault::Take(
    LIST,
    r#"[{"type":"pid"},{"type":"network"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"cgroup"}]"#,
);

/// Rows of [`NEW`]: the type, its name in `/proc/PID/ns`.
macro_rules! new {
    ($($kind:literal, $name:literal; )*) => {
        &[$(
            Case::new(
                &NEW,
                $kind,
                |r| r.inherit_namespace($kind).new_namespace($kind),
                &[Fault::DropLast(LIST)],
            ).needs(&[Need::Namespace($name)])
        ),*]
    };
}

/// Rows of [`INHERITED`]: the type that is taken out of the base.
macro_rules! inherited {
    ($($kind:literal),*) => {
        &[$(Case::new(&INHERITED, $kind, |r| r.inherit_namespace($kind), &[EVERY_ONE_NEW])),*]
    };
}

fn as_it_is(recipe: &mut Recipe) -> &mut Recipe {
    recipe
}

pub(super) const NEW_TYPES: &[Case] = new! {
    "pid", "pid";
    "network", "net";
    "mount", "mnt";
    "ipc", "ipc";
    "uts", "uts";
    "cgroup", "cgroup";
};

const NEW_USER: Case =
    Case::new(&NEW, "user", usual_user, &[Fault::Drop("/linux/namespaces/4")]).needs(&[Need::Namespace("user")]);

pub(super) const INHERITED_TYPES: &[Case] = inherited!["pid", "ipc", "uts"];

/// Network, user, cgroup and time.
const INHERITED_BASE: Case = Case::new(&INHERITED, "those-of-the-base", as_it_is, &[EVERY_ONE_NEW]);

const INHERITED_ALL: Case = Case::new(
    &INHERITED,
    "all-but-mount",
    |r| r.inherit_namespace("pid").inherit_namespace("ipc").inherit_namespace("uts"),
    &[EVERY_ONE_NEW],
);

pub(super) const CASES: &[Case] = &[NEW_USER, INHERITED_BASE, INHERITED_ALL];

pub(super) const SCENARIOS: &[Scenario] = &[TWO_CONTAINERS, INHERITED_MOUNT];

const TWO_CONTAINERS: Scenario = Scenario::new(
    "namespaces.new/not-shared-by-two-containers",
    &["linux.namespaces.no-path-new"],
    &[Fault::Drop("/linux/namespaces/0"), Fault::Drop("/linux/namespaces/2"), Fault::DropLast(LIST)],
    |lab, out| {
        let first = lab.running(|r| r.new_namespace("network").new_namespace("cgroup"))?;
        let second = lab.running(|r| r.new_namespace("network").new_namespace("cgroup"))?;
        let (one, other) = (first.observe()?, second.observe()?);
        for entry in first.bundle.config.list(LIST) {
            let kind = entry["type"].as_str().unwrap_or_default();
            let (one, other) = (one.namespace(kernel_name(kind)), other.namespace(kernel_name(kind)));
            out.expect(kind, one != other, "one for each container", (one, other));
        }
        first.finish_and_delete()?;
        second.finish_and_delete()
    },
)
.needs(&[Need::HostView]);

/// The container's mounts are then made in our own mount namespace. That is that of this check alone, and taken down
/// here: what a runtime leaves of them is not judged.
const INHERITED_MOUNT: Scenario = Scenario::new(
    "namespaces.inherited/mount",
    &["linux.namespaces.unlisted-inherited"],
    &[EVERY_ONE_NEW],
    inherits_mount,
)
.needs(&[Need::HostView]);

fn only_proc_in_our_mounts(recipe: &mut Recipe) -> &mut Recipe {
    let proc = recipe.config().list("/mounts")[0].clone();
    recipe.inherit_namespace("mount").set("/mounts", [proc])
}

fn inherits_mount(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let container = lab.running(only_proc_in_our_mounts)?;
    out.expect_eq("mount", container.observe()?.namespace("mnt"), own("mnt"));
    let deleted = container.finish_and_delete();
    unmount_below(lab)?;
    deleted
}
