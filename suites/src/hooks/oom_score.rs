//! The OOM score of a hook that runs in the container: that of its program. If only the init process gets it, the hooks of an unimportant
//! container are killed as late as the runtime.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult, Stop};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::namespace_holder::path;
use plimsoll_engine::need::Need;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::PATH;
use plimsoll_reports::model::Axis;
use serde_json::json;

use crate::namespaces::usual_user;

const OTHER: &[Fault] = &[Fault::Take("/process/oomScoreAdj", "501"), Fault::Drop("/process/oomScoreAdj")];

/// One scenario a row: the member of `/hooks`, the probe where the hook finds it, whether a pid namespace is joined, further edits.
macro_rules! scores {
    ($($id:literal, $member:literal, $probe:expr, $joins:literal, $edits:expr;)*) => {
        &[$(Scenario::new(concat!("hooks.oom-score/", $id), &[], OTHER, |lab, out| {
            let first = lab.running(|r| r)?;
            let edits: fn(&mut Recipe) -> &mut Recipe = $edits;
            judge(lab, out, |r| {
                let r = hook(edits(r), $member, $probe);
                if $joins { joining(r, first.pid) } else { r }
            })?;
            first.finish_and_delete()
        }).axis(Axis::Compat).needs(&[Need::HostView])),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = scores! {
    "create-container", "createContainer", "{probe}", false, |r| r;
    "create-container-in-a-joined-pid-namespace", "createContainer", "{probe}", true, |r| r;
    "create-container-in-a-joined-pid-namespace-with-users", "createContainer", "{probe}", true, usual_user;
    "start-container", "startContainer", PATH, false, |r| r;
};

/// A hook that fails when its score is another one. It leaves no record: in a user namespace it could not write that.
fn hook<'r>(recipe: &'r mut Recipe, member: &str, probe: &str) -> &'r mut Recipe {
    let args = json!(["probe", "hook", "it", "/dev/null", "score=500"]);
    recipe.set("/process/oomScoreAdj", 500).push(&format!("/hooks/{member}"), json!({ "path": probe, "args": args }))
}

fn joining(recipe: &mut Recipe, first: nix::unistd::Pid) -> &mut Recipe {
    recipe.inherit_namespace("pid").push("/linux/namespaces", json!({ "type": "pid", "path": path(first, "pid") }))
}

fn judge(lab: &Lab<'_>, out: &mut Judgement, edits: impl Fn(&mut Recipe) -> &mut Recipe) -> StepResult {
    let attempt = lab.try_create(&lab.bundle(&edits)?)?;
    let wanted = "succeeds: the hook has the score of the container";
    if !attempt.outcome.succeeded() {
        // What is refused without a hook as well says nothing of hooks.
        let plain = lab.bundle(|r| edits(r).remove("/hooks"))?;
        if !lab.try_create(&plain)?.outcome.succeeded() {
            return Err(Stop::Skip(
                "this runtime makes no container with users of its own in a pid namespace that it joins".into(),
            ));
        }
        out.expect("create", false, wanted, attempt.outcome.said());
        return crate::refusal::discard(lab, &plain.id);
    }
    let container = attempt.container()?;
    let started = container.start()?;
    out.expect("start", started.succeeded(), wanted, started.said());
    if started.succeeded() {
        container.greeted()?;
    }
    container.kill(nix::sys::signal::Signal::SIGKILL).map(drop)?;
    crate::refusal::discard(lab, container.id())
}
