//! Behaviour of create, kill and delete that the specification leaves open and that has caused problems for users.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use plimsoll_engine::cgroup;
use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::{Op, Values};
use plimsoll_fixtures::probe::{Ask, Reply};
use plimsoll_reports::model::Axis;
use serde_json::json;

use super::{cgroup_value, compat};
use crate::refusal;

const HOST: &[Need] = &[Need::HostView];
const PATH: &str = "/linux/cgroupsPath";

pub(super) const SCENARIOS: &[Scenario] = compat! {
    "compat.create.cwd/made-when-missing", &[], &[Fault::Take("/process/cwd", "\"/\""), Fault::Fail(Op::Start)],
        |lab, out| {
            let container = lab.running(|r| r.set("/process/cwd", "/none/such"))?;
            let answer = container.ask(Ask::Cwd)?;
            out.expect("current directory", answer == Ok(Reply::Text("/none/such".into())), "/none/such", answer);
            container.finish_and_delete()
        };
    "compat.create.cgroup/limits-where-the-process-is", &[Need::HostView, Need::Controller("pids")],
        &[Fault::MoveOut, Fault::Drop("/linux/resources/pids")], |lab, out| {
            let container = lab.running(|r| r.set("/linux/resources/pids/limit", 123))?;
            out.expect_eq("pids", cgroup_value(&container, "pids", "pids.max", "pids.max")?, "123");
            container.finish_and_delete()
        };
    "compat.create.state/nobody-else-writes-to-it", &[Need::HostView], &[Fault::OpenState], |lab, out| {
        let container = lab.running(|r| r)?;
        let open = open_to_all(&lab.driver.root).map_err(|why| why.to_string());
        out.expect_eq("what everybody may write to in the directory that --root names", open, Ok(Vec::new()));
        container.finish_and_delete()
    };
    "compat.create.refused/leaves-the-id-free", &[], &[Fault::Leave(plimsoll_engine::fault::Leftover::State)],
        |lab, out| {
            let bundle = lab.bundle(|r| r.set("/process/args", ["/no/such/program"]))?;
            let attempt = lab.try_create(&bundle)?;
            if attempt.outcome.succeeded() {
                // Not every runtime looks for the program at create; then start is where it fails.
                let container = attempt.container()?;
                out.expect("start", !container.start()?.succeeded(), "an error: no such program", "success");
                refusal::discard(lab, &bundle.id)?;
            }
            let again = lab.running(|r| r)?;
            again.finish_and_delete()?;
            out.expect_eq("containers of the id", lab.call_id(Op::State, &bundle.id)?.succeeded(), false);
            Ok(())
        };
    "compat.delete.force/unknown-container", &[], &[Fault::Fail(Op::Delete)], |lab, out| {
        let container = lab.running(|r| r)?;
        let id = container.bundle.id.clone();
        container.finish_and_delete()?;
        let watch = lab.watch()?;
        let values = Values::default().with("id", id).with("force", "");
        let outcome = lab.call(Op::Delete, &values)?;
        watch.differences("delete --force")?.into_iter().for_each(|finding| out.add(finding));
        out.expect("delete --force of no container", outcome.succeeded(), "success: it is gone", outcome.said());
        Ok(())
    };
    "compat.delete.created/all-or-nothing", &[], &[Fault::Ignore(Op::Delete), Fault::Fail(Op::Delete)],
        |lab, out| {
            let container = lab.created(|r| r)?;
            let deleted = container.delete()?;
            let state = container.query_state()?;
            out.expect_eq("whether it is still there", state.succeeded(), !deleted.succeeded());
            if deleted.succeeded() {
                return container.wait();
            }
            container.started()?;
            container.finish_and_delete()
        };
    "compat.kill.all/reaches-init", &[Need::Option(Op::Kill, "signal")], &[Fault::Ignore(Op::Kill)],
        |lab, out| {
            let container = lab.running(|r| r)?;
            let signal = lab.settings.profile.signal(Signal::SIGKILL);
            container.call(Op::Kill, |values| values.with("signal", signal).with("all", ""))?.ok()?;
            container.wait()?;
            out.expect_eq("status", container.state()?.status(), "stopped");
            container.delete()?.ok()
        };
    "compat.kill.all/of-a-stopped-container-changes-nothing", &[], &[Fault::Lie("/status", "\"running\"")],
        |lab, out| {
            // Some say that it worked, some that it did not.
            let container = lab.stopped(|r| r)?;
            let signal = lab.settings.profile.signal(Signal::SIGKILL);
            let _outcome = container.call(Op::Kill, |values| values.with("signal", signal).with("all", ""))?;
            out.expect_eq("status", container.state()?.status(), "stopped");
            container.delete()?.ok()
        };
};

/// The directories and files below one that everybody may write to. A pipe that waits for start may be open to all.
fn open_to_all(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let status = fs::symlink_metadata(&path)?;
        if (status.is_dir() || status.is_file()) && status.permissions().mode() & 0o002 != 0 {
            found.push(path.clone());
        }
        if status.is_dir() {
            found.extend(open_to_all(&path)?);
        }
    }
    Ok(found)
}

/// Where runtimes differ in what users were bitten by, and none breaks a rule: both ways to write a slash are JSON, but hooks
/// that are shell scripts know one of them.
pub(super) const ADVICE: &[Scenario] = &[
    Scenario::new("compat.hooks.state/plain-slashes", super::UNSPECIFIED, &[Fault::Drop("/hooks")], |lab, out| {
        let container = lab.running(|r| r.hook("createRuntime", "first", &[]))?;
        let log = container.bundle.hook_log()?;
        let given = log.first().map(|record| record.stdin.clone()).unwrap_or_default();
        out.expect("paths in the state", given.contains('/') && !given.contains("\\/"), "no escaped slash", given);
        container.finish_and_delete()
    })
    .axis(Axis::Compat)
    .advisory(super::DIFFERS),
    SHARED,
    FROZEN,
];

/// A runtime may look whether the group is fit for a container; then it is an error when it is not.
const FROZEN: Scenario = Scenario::new(
    "compat.create.cgroup/frozen-before",
    &["linux.cgroups.fitness-check-error", "linux.cgroups.fitness-check-allowed"],
    &[Fault::Ignore(Op::Create)],
    frozen_before,
)
.needs(HOST)
.waits()
.axis(Axis::Compat);

const SHARED: Scenario = Scenario::new(
    "compat.create.cgroup/shared-by-two",
    super::UNSPECIFIED,
    &[Fault::Ignore(Op::Create)],
    shared_by_two,
)
.needs(HOST)
.axis(Axis::Compat)
.advisory(super::DIFFERS);

/// Where the container's group will be in the hierarchy that freezes, and the file and words that freeze and thaw it.
fn freezer(path: &str) -> StepResult<(PathBuf, &'static str, [&'static str; 2])> {
    let hierarchies = cgroup::hierarchies()?;
    let v1 = hierarchies.iter().find(|one| one.controllers.iter().any(|name| name == "freezer"));
    let (hierarchy, file, words) = match (v1, hierarchies.iter().find(|one| one.v2)) {
        (Some(v1), _) => (v1, "freezer.state", ["FROZEN", "THAWED"]),
        (None, Some(v2)) => (v2, "cgroup.freeze", ["1", "0"]),
        (None, None) => return Err(Stop::Skip("no cgroup can freeze: mount the freezer or cgroup v2".into())),
    };
    Ok((hierarchy.mount.join(path.trim_start_matches('/')), file, words))
}

/// Create in a frozen group comes back: with an error that leaves nothing, or with a container that works once thawed.
fn frozen_before(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let bundle = lab.bundle(|r| r.set(PATH, "{cgroup}"))?;
    let (dir, file, [freeze, thaw]) = freezer(bundle.config.text(PATH).unwrap_or_default())?;
    fs::create_dir_all(&dir)?;
    fs::write(dir.join(file), freeze)?;
    let attempt = lab.try_create(&bundle)?;
    if dir.exists() {
        fs::write(dir.join(file), thaw)?;
    }
    let made = attempt.outcome.succeeded();
    if made {
        let container = attempt.container()?;
        container.started()?;
        container.finish_and_delete()?;
    }
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect("state afterwards", !state.succeeded(), "an error: no container", state.stdout);
    match fs::remove_dir(&dir) {
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Two containers in one group: the second is refused, or both work and the end of one is not that of the other.
fn shared_by_two(lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let path = lab.group(&format!("{}-shared", lab.tag));
    let first = lab.running(|r| r.set(PATH, json!(path)))?;
    let bundle = lab.bundle(|r| r.set(PATH, json!(path)))?;
    let attempt = lab.try_create(&bundle)?;
    if attempt.outcome.succeeded() {
        let second = attempt.container()?;
        second.started()?;
        second.finish_and_delete()?;
    }
    out.expect("the first container", first.is_alive()?, "keeps running", "its process has ended");
    out.expect_eq("its status", first.state()?.status(), "running");
    first.finish_and_delete()
}
