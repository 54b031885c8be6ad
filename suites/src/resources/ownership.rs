//! Whose the container's control group is (`config-linux.md#cgroup-ownership`): with version 2, a cgroup namespace of its
//! own and a writable mount of it, that of the process's user; else nobody's but root's.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use plimsoll_engine::cgroup;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::container::Container;
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::FIRST_ID;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_foreign::read;
use serde_json::json;

use crate::namespaces::usual_user;

const ALONE: &[Need] = &[Need::HostView, Need::UnifiedAlone, Need::Namespace("cgroup"), Need::Namespace("user")];
const NAMESPACED: &[Need] = &[Need::HostView, Need::Namespace("cgroup"), Need::Namespace("user")];

/// The files that the kernel says may be handed over.
const DELEGATABLE: &str = "/sys/kernel/cgroup/delegate";
const LISTS: &str = "/sys/kernel/cgroup";
const AT: &str = "/sys/fs/cgroup";

fn mounted<'r>(recipe: &'r mut Recipe, options: &[&str]) -> &'r mut Recipe {
    recipe.mount(AT, "cgroup", "cgroup", options)
}

fn writable(recipe: &mut Recipe) -> &mut Recipe {
    mounted(usual_user(recipe).new_namespace("cgroup"), &["rw", "nosuid", "noexec", "nodev"])
}

/// The group, and its files, with their owners on the host.
fn owners(container: &Container<'_>) -> StepResult<Vec<(PathBuf, u32)>> {
    let groups = cgroup::of(container.pid)?.into_iter().filter_map(|membership| membership.dir);
    let top: Vec<PathBuf> = cgroup::hierarchies()?.into_iter().map(|hierarchy| hierarchy.mount).collect();
    let mut found = Vec::new();
    // What stands at a mount point is not the container's.
    for dir in groups.filter(|dir| !top.contains(dir)) {
        found.push((dir.clone(), fs::metadata(&dir)?.uid()));
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                found.push((entry.path(), entry.metadata()?.uid()));
            }
        }
    }
    if found.is_empty() {
        Err(Stop::broken("groups of the container", "at least one of its own", "none"))
    } else {
        Ok(found)
    }
}

fn delegatable() -> StepResult<BTreeSet<String>> {
    let list = read::kernel(DELEGATABLE).map_err(Stop::error(DELEGATABLE))?;
    Ok(list.lines().map(str::to_owned).collect())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(super) const SCENARIOS: &[Scenario] =
    &[HANDED_OVER, OTHER_USER, IN_A_JOINED_NAMESPACE, ONLY_DELEGATABLE, WITHOUT_A_LIST, LISTED_AND_ABSENT];

const HANDED_OVER: Scenario = Scenario::new(
    "resources.ownership/handed-over",
    &[
        "linux.cgroup-ownership.may-chown",
        "linux.cgroup-ownership.iff-rw-mount",
        "linux.cgroup-ownership.existing-listed-files",
    ],
    &[Fault::Drop("/mounts/6"), Fault::Take("/mounts/6/options", r#"["ro"]"#)],
    |lab, out| of_user(lab, out, 0),
)
.needs(ALONE);

const OTHER_USER: Scenario = Scenario::new(
    "resources.ownership/handed-over-to-another-user",
    &["linux.cgroup-ownership.may-chown", "linux.cgroup-ownership.iff-rw-mount"],
    &[Fault::Drop("/mounts/6"), Fault::Take("/process/user/uid", "8")],
    |lab, out| of_user(lab, out, 7),
)
.needs(ALONE);

/// The directory and the listed files that there are belong to the process's user.
fn of_user(lab: &Lab<'_>, out: &mut Judgement, user: u32) -> StepResult {
    let listed = delegatable()?;
    let container = lab.running(|r| writable(r).set("/process/user/uid", user))?;
    let all = owners(&container)?;
    for (path, owner) in all.iter().filter(|(path, _)| path.is_dir() || listed.contains(&name(path))) {
        out.expect_eq(&format!("owner of {}", name(path)), *owner, FIRST_ID + user);
    }
    container.finish_and_delete()
}

/// The maps are those of the namespace, whether the configuration repeats them or not.
const IN_A_JOINED_NAMESPACE: Scenario = Scenario::new(
    "resources.ownership/handed-over-in-a-joined-user-namespace",
    &["linux.cgroup-ownership.may-chown", "linux.cgroup-ownership.iff-rw-mount"],
    &[Fault::Drop("/mounts/6"), Fault::Take("/process/user/uid", "8")],
    |lab, out| {
        let (listed, users) = (delegatable()?, lab.hold_namespace("user")?);
        let entry = json!({ "type": "user", "path": users.path("user") });
        let container = lab.running(|r| {
            let r = r.new_namespace("network").new_namespace("cgroup").push("/linux/namespaces", entry);
            mounted(r, &["rw", "nosuid", "noexec", "nodev"]).set("/process/user/uid", 7)
        })?;
        let all = owners(&container)?;
        for (path, owner) in all.iter().filter(|(path, _)| path.is_dir() || listed.contains(&name(path))) {
            out.expect_eq(&format!("owner of {}", name(path)), *owner, FIRST_ID + 7);
        }
        container.finish_and_delete()
    },
)
.needs(ALONE);

const ONLY_DELEGATABLE: Scenario = Scenario::new(
    "resources.ownership/other-files-stay",
    &["linux.cgroup-ownership.only-delegate-files", "linux.cgroup-ownership.no-other-files"],
    &[Fault::GiveGroupAway],
    |lab, out| {
        let listed = delegatable()?;
        let container = lab.running(writable)?;
        let others = owners(&container)?;
        let given: Vec<String> = others
            .iter()
            .filter(|(path, owner)| !path.is_dir() && !listed.contains(&name(path)) && *owner != 0)
            .map(|(path, _)| name(path))
            .collect();
        out.expect("files that the kernel does not list", given.is_empty(), "root's", given);
        container.finish_and_delete()
    },
)
.needs(ALONE);

/// Hides the list of the kernel from the runtime. Something over a part of `/sys` keeps everybody from mounting a sysfs in
/// a new user namespace, so the container gets that of the host.
fn without_list(lab: &Lab<'_>) -> StepResult {
    lab.mount_tmpfs(Path::new(LISTS))
}

fn writable_by_bind(recipe: &mut Recipe) -> &mut Recipe {
    let sys = json!({ "destination": "/sys", "type": "bind", "source": "/sys", "options": ["rbind", "ro"] });
    writable(recipe.set("/mounts/5", sys))
}

/// What is handed over where the kernel has no list.
const FALLBACK: [&str; 3] = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];

/// The list is hidden from the runtime, as old kernels have none. A runtime that hands nothing over needs none.
const WITHOUT_A_LIST: Scenario = Scenario::new(
    "resources.ownership/without-a-list-of-the-kernel",
    &["linux.cgroup-ownership.fallback-list", "linux.cgroup-ownership.no-other-files"],
    &[Fault::GiveGroupAway],
    |lab, out| {
        without_list(lab)?;
        let container = lab.running(writable_by_bind)?;
        let all = owners(&container)?;
        let files = all.iter().filter(|(path, owner)| !path.is_dir() && *owner != 0);
        let given: BTreeSet<String> = files.map(|(path, _)| name(path)).collect();
        let right = given.is_empty() || given == FALLBACK.map(str::to_owned).into();
        out.expect("files that are handed over", right, format!("{}, or none", FALLBACK.describe()), given);
        container.finish_and_delete()
    },
)
.needs(ALONE);

/// The list names a file that the group does not have, as those of controllers that are off.
const LISTED_AND_ABSENT: Scenario = Scenario::new(
    "resources.ownership/a-listed-file-is-absent",
    &["linux.cgroup-ownership.missing-file-no-failure"],
    &[Fault::Fail(plimsoll_engine::profile::Op::Create)],
    |lab, out| {
        without_list(lab)?;
        fs::write(DELEGATABLE, format!("{}\nplimsoll.absent\n", FALLBACK.join("\n")))?;
        let container = lab.running(writable_by_bind)?;
        out.expect("the container", container.is_alive()?, "runs", "it has ended");
        container.finish_and_delete()
    },
)
.needs(ALONE);

/// One scenario a row: what the container has, and the group stays root's.
macro_rules! stays {
    ($($id:literal, $needs:expr, $cites:expr, $edits:expr;)*) => {
        &[$(Scenario::new($id, $cites, &[Fault::GiveGroupAway], |lab, out| {
            let container = lab.running($edits)?;
            let given: Vec<String> =
                owners(&container)?.iter().filter(|(_, owner)| *owner != 0).map(|(path, _)| name(path)).collect();
            out.expect("the group and its files", given.is_empty(), "root's", given);
            container.finish_and_delete()
        }).needs($needs)),*]
    };
}

pub(super) const STAYS: &[Scenario] = stays! {
    "resources.ownership.stays/version-1",
        &[
            Need::HostView,
            Need::Namespace("cgroup"),
            Need::Namespace("user"),
            Need::Knob(cgroup::Knob { controller: "pids", v1: "pids.max", v2: "" }),
        ],
        &["linux.cgroup-ownership.not-on-v1"],
        |r| usual_user(r).new_namespace("cgroup");
    "resources.ownership.stays/mount-is-read-only", ALONE, &["linux.cgroup-ownership.iff-rw-mount"],
        |r| mounted(usual_user(r).new_namespace("cgroup"), &["ro", "nosuid", "noexec", "nodev"]);
    "resources.ownership.stays/no-mount", NAMESPACED, &["linux.cgroup-ownership.not-without-mount"],
        |r| usual_user(r).new_namespace("cgroup");
    "resources.ownership.stays/no-cgroup-namespace", NAMESPACED,
        &["linux.cgroup-ownership.only-with-cgroup-namespace"], |r| usual_user(r);
    "resources.ownership.stays/no-user-namespace", ALONE, &["linux.cgroup-ownership.may-chown"],
        |r| mounted(r.new_namespace("cgroup"), &["rw", "nosuid", "noexec", "nodev"]);
};
