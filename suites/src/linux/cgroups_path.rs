//! `linux.cgroupsPath`: the cgroup of the container in each hierarchy.

use std::fs;
use std::io;
use std::path::PathBuf;

use nix::sys::statfs::{CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC};
use plimsoll_engine::cgroup::{self, Membership};
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Bundle;

const PATH: &str = "/linux/cgroupsPath";
const HOST: &[Need] = &[Need::HostView];

/// The groups that the container does not share with the harness.
fn groups(container: &Container<'_>) -> StepResult<Vec<Membership>> {
    let own = cgroup::of(nix::unistd::getpid())?;
    let shared = |membership: &Membership| {
        own.iter().any(|other| same_hierarchy(other, membership) && other.path == membership.path)
    };
    let all = container.observe()?.cgroups;
    Ok(all.into_iter().filter(|membership| !shared(membership)).collect())
}

fn same_hierarchy(one: &Membership, other: &Membership) -> bool {
    one.v2 == other.v2 && (one.v2 || one.controllers == other.controllers)
}

/// Wherever the container has a group of its own, it is the one of this path below the mount point, or below a place
/// that the runtime chose when the path is relative.
fn stands_at(container: &Container<'_>, out: &mut Judgement, path: &str) -> StepResult<Vec<PathBuf>> {
    let groups = groups(container)?;
    out.expect("groups of its own", !groups.is_empty(), "at least one", "none");
    let hierarchies = cgroup::hierarchies()?;
    for group in &groups {
        let name = if group.v2 { "version 2".to_owned() } else { group.controllers.join(",") };
        let Some(dir) = &group.dir else { continue };
        let met = match path.strip_prefix('/') {
            Some(below) => hierarchies.iter().any(|hierarchy| *dir == hierarchy.mount.join(below)),
            None => dir.ends_with(path),
        };
        out.expect(&format!("group of {name}"), met, path, dir);
    }
    Ok(groups.into_iter().filter_map(|group| group.dir).collect())
}

/// One scenario a row: the value. `{id}` makes it the container's own.
macro_rules! paths {
    ($($id:literal, $cites:expr, $path:literal;)*) => {
        &[$(Scenario::new(
            concat!("linux.cgroups-path/", $id),
            $cites,
            &[Fault::Drop(PATH), Fault::Take(PATH, r#""{cgroup}-elsewhere""#)],
            |lab, out| {
                let container = lab.running(|r| r.set(PATH, $path))?;
                let path = container.bundle.config.text(PATH).unwrap_or_default().to_owned();
                let dirs = stands_at(&container, out, &path)?;
                container.finish_and_delete()?;
                let left: Vec<_> = dirs.iter().filter(|dir| dir.exists()).collect();
                out.expect("groups after delete", left.is_empty(), "none", left);
                remove_above(lab, &dirs)
            },
        ).needs(HOST)),*]
    };
}

/// What was made above the container's own group may stay, says the specification; it is ours to remove.
fn remove_above(lab: &Lab<'_>, dirs: &[PathBuf]) -> StepResult {
    for dir in dirs {
        let ours = dir.ancestors().skip(1).filter(|above| above.to_string_lossy().contains(&lab.tag));
        for above in ours {
            match fs::remove_dir(above) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why.into()),
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

const BELOW_MOUNT: &[&str] = &["linux.cgroups-path.absolute-below-mount-point", "linux.cgroups-path.joins-or-creates"];

pub(super) const PATHS: &[Scenario] = paths! {
    "absolute", BELOW_MOUNT, "{cgroup}";
    "created-with-its-parents",
        &["linux.cgroups-path.created-if-missing", "linux.cgroups-path.absolute-below-mount-point"], "{cgroup}/deep/er";
    "relative", &["linux.cgroups-path.joins-or-creates", "linux.cgroups-path.relative-runtime-base"], "plimsoll-{id}";
    "relative-and-deep", &["linux.cgroups-path.joins-or-creates", "linux.cgroups-path.created-if-missing"],
        "plimsoll-{id}/deep";
};

pub(super) const SCENARIOS: &[Scenario] = &[CONSISTENT, CONSISTENT_RELATIVE, APART, ABSENT, NOT_OUTSIDE];

const CONSISTENT: Scenario = Scenario::new(
    "linux.cgroups-path.consistent/absolute",
    &["linux.cgroups-path.consistent"],
    &[Fault::Drop(PATH)],
    |lab, out| consistent(lab, out, &format!("/plimsoll-{}-same", lab.tag)),
)
.needs(HOST);

const CONSISTENT_RELATIVE: Scenario = Scenario::new(
    "linux.cgroups-path.consistent/relative",
    &["linux.cgroups-path.consistent"],
    &[Fault::Drop(PATH)],
    |lab, out| consistent(lab, out, &format!("plimsoll-{}-same", lab.tag)),
)
.needs(HOST);

/// Two containers, one after the other, from the same value.
fn consistent(lab: &Lab<'_>, out: &mut Judgement, path: &str) -> StepResult {
    let stand = || -> StepResult<Vec<(Vec<String>, String)>> {
        let container = lab.running(|r| r.set(PATH, path))?;
        let groups = groups(&container)?;
        container.finish_and_delete()?;
        Ok(groups.into_iter().map(|group| (group.controllers, group.path)).collect())
    };
    let first = stand()?;
    out.expect("groups of its own", !first.is_empty(), "at least one", "none");
    out.expect_eq("groups of the second container", stand()?, first);
    Ok(())
}

/// Two values, two places; what one container has does not end with the other.
const APART: Scenario = Scenario::new(
    "linux.cgroups-path/two-containers-below-one-group",
    &["linux.cgroups-path.joins-or-creates"],
    &[Fault::Take(PATH, r#""{cgroup}-elsewhere""#)],
    |lab, out| {
        let parent = format!("/plimsoll-{}-pod", lab.tag);
        let first = lab.running(|r| r.set(PATH, format!("{parent}/first")))?;
        let second = lab.running(|r| r.set(PATH, format!("{parent}/second")))?;
        let dirs = stands_at(&first, out, &format!("{parent}/first"))?;
        stands_at(&second, out, &format!("{parent}/second"))?;
        second.finish_and_delete()?;
        stands_at(&first, out, &format!("{parent}/first"))?;
        first.finish_and_delete()?;
        remove_above(lab, &dirs)
    },
)
.needs(HOST);

/// Without a value the runtime picks a place, or none: the container works, and the guard sees what is left.
const ABSENT: Scenario = Scenario::new(
    "linux.cgroups-path/absent",
    &["linux.cgroups-path.default-allowed", "linux.optional-members"],
    &[Fault::Fail(plimsoll_engine::profile::Op::Create)],
    |lab, out| {
        let container = lab.running(|r| r.remove(PATH))?;
        let dirs: Vec<PathBuf> = groups(&container)?.into_iter().filter_map(|group| group.dir).collect();
        out.expect("the container", container.is_alive()?, "runs", "it has ended");
        container.finish_and_delete()?;
        let left: Vec<_> = dirs.iter().filter(|dir| dir.exists()).collect();
        out.expect("groups after delete", left.is_empty(), "none", left);
        Ok(())
    },
)
.needs(HOST);

/// A path that leads up: refused, or the group is one of the hierarchy all the same.
const NOT_OUTSIDE: Scenario = Scenario::new(
    "linux.cgroups-path.not-outside-the-hierarchy",
    &[
        "linux.cgroups-path.absolute-below-mount-point",
        "linux.cgroups-path.invalid-value-error",
        "linux.cgroups-path.some-values-invalid",
        "runtime.errors.no-side-effects",
    ],
    &[Fault::Take(PATH, r#""{cgroup}-elsewhere""#), Fault::Ignore(plimsoll_engine::profile::Op::Create)],
    not_outside,
)
.needs(HOST);

fn not_outside(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let name = format!("plimsoll-{}-up", lab.tag);
    let bundle: Bundle = lab.bundle(|r| r.set(PATH, format!("/{name}/../../../../../../../../{name}")))?;
    if let Some(container) = crate::refusal::or_created(lab, out, &bundle)? {
        container.started()?;
        let dirs = stands_at(&container, out, &format!("/{name}"))?;
        container.finish_and_delete()?;
        remove_above(lab, &dirs)?;
    }
    let strays = ["/", "/sys", "/sys/fs", "/sys/fs/cgroup"].map(|dir| PathBuf::from(dir).join(&name));
    let strays: Vec<_> = strays.into_iter().filter(|path| path.exists() && !is_group(path)).collect();
    out.expect("directories outside of the hierarchies", strays.is_empty(), "none", &strays);
    for stray in strays {
        fs::remove_dir_all(&stray).map_err(Stop::error("remove a stray directory"))?;
    }
    Ok(())
}

/// Whether the directory is one of a file system of control groups. Files of their names are no sign: a runtime may have made those.
fn is_group(dir: &std::path::Path) -> bool {
    let kind = nix::sys::statfs::statfs(dir).map(|status| status.filesystem_type());
    kind.is_ok_and(|kind| [CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC].contains(&kind))
}
