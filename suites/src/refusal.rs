//! What an error must come to: nothing has changed, and the caller is told (`runtime.md#errors`). Effects are judged
//! first, the exit code second, the words never.

use plimsoll_engine::container::Container;
use plimsoll_engine::judgement::{Judgement, Outcome, StepResult};
use plimsoll_engine::lab::{Attempt, Lab};
use plimsoll_engine::profile::{Op, Values};
use plimsoll_engine::watch::Watch;
use plimsoll_fixtures::{Bundle, Recipe};

/// One scenario a row: a configuration that create must refuse. The last edit is the mistake; without it the
/// configuration must run, so that it is refused for that.
macro_rules! create_refuses {
    ($cites:expr; $($id:literal, $edits:expr, $faults:expr;)*) => {
        &[$(plimsoll_engine::check::Scenario::new($id, $cites, $faults, |lab, out| {
            crate::refusal::control(lab, $edits)?;
            crate::refusal::by_create(lab, out, &lab.bundle($edits)?)
        })),*]
    };
}

/// One scenario a row: a configuration that create or start must refuse, so that its program never runs. The last edit is
/// the mistake, as above.
macro_rules! never_runs {
    ($cites:expr; $($id:literal, $edits:expr, $faults:expr;)*) => {
        &[$(plimsoll_engine::check::Scenario::new($id, $cites, $faults, |lab, out| {
            crate::refusal::control(lab, $edits)?;
            crate::refusal::by_create_or_start(lab, out, &lab.bundle($edits)?)
        })),*]
    };
}

pub(crate) use {create_refuses, never_runs};

/// Sees that the configuration runs without its last edit.
pub(crate) fn control(lab: &Lab<'_>, edits: impl FnOnce(&mut Recipe) -> &mut Recipe) -> StepResult {
    let mut recipe = Recipe::default();
    edits(&mut recipe);
    recipe.edits.pop();
    lab.control_of(&recipe)
}

/// A call that must be an error without effect.
pub(crate) fn of(
    lab: &Lab<'_>,
    out: &mut Judgement,
    what: &str,
    call: impl FnOnce() -> StepResult<Outcome>,
) -> StepResult {
    let watch = lab.watch()?;
    let outcome = call()?;
    out.expect_no_effect(&outcome, watch.differences(what)?);
    out.expect_error(what, &outcome);
    Ok(())
}

/// As [`of`], and this container is as it was.
pub(crate) fn leaves(
    container: &Container<'_>,
    lab: &Lab<'_>,
    out: &mut Judgement,
    what: &str,
    call: impl FnOnce() -> StepResult<Outcome>,
) -> StepResult {
    let (alive, state) = (container.is_alive()?, container.state()?);
    of(lab, out, what, call)?;
    out.expect_eq(&format!("whether the process is alive after {what}"), container.is_alive()?, alive);
    out.expect_eq(&format!("the state after {what}"), container.state()?.0, state.0);
    Ok(())
}

/// Create must refuse this bundle, and there is no container afterwards.
pub(crate) fn by_create(lab: &Lab<'_>, out: &mut Judgement, bundle: &Bundle) -> StepResult {
    let watch = lab.watch()?;
    let attempt = lab.try_create(bundle)?;
    if !attempt.outcome.succeeded() {
        return settle(lab, out, &watch, bundle, attempt);
    }
    told(out, "create", &attempt.outcome);
    discard(lab, &bundle.id)
}

/// Create or, failing that, start must refuse this bundle, and its program never runs.
pub(crate) fn by_create_or_start(lab: &Lab<'_>, out: &mut Judgement, bundle: &Bundle) -> StepResult {
    let watch = lab.watch()?;
    let attempt = lab.try_create(bundle)?;
    if !attempt.outcome.succeeded() {
        return settle(lab, out, &watch, bundle, attempt);
    }
    let container = attempt.container()?;
    let started = container.start()?;
    let ran = container.greeted().is_ok();
    out.expect("the program", !ran, "never runs", "it runs");
    out.expect_error("create, then start", &started);
    discard(lab, &bundle.id)
}

/// The container that create makes of this bundle; `None` when create refuses it, which is as good where it says so.
pub(crate) fn or_created<'l>(
    lab: &'l Lab<'l>,
    out: &mut Judgement,
    bundle: &Bundle,
) -> StepResult<Option<Container<'l>>> {
    let attempt = lab.try_create(bundle)?;
    if attempt.outcome.succeeded() {
        return attempt.container().map(Some);
    }
    told(out, "create", &attempt.outcome);
    Ok(None)
}

/// What is to be expected after create has refused a bundle: nothing is left, and there is no container.
pub(crate) fn settle(
    lab: &Lab<'_>,
    out: &mut Judgement,
    watch: &Watch,
    bundle: &Bundle,
    attempt: Attempt<'_>,
) -> StepResult {
    let outcome = attempt.outcome.clone();
    drop(attempt);
    out.expect_no_effect(&outcome, watch.differences("create")?);
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect("state after the refused create", !state.succeeded(), "an error: no container", state.stdout.trim());
    told(out, "create", &outcome);
    Ok(())
}

fn told(out: &mut Judgement, what: &str, outcome: &Outcome) {
    out.expect(what, outcome.refused().is_ok(), "an error: an exit code other than 0", outcome.said());
}

/// Takes away what should not have come to be, whatever the runtime says to that.
pub(crate) fn discard(lab: &Lab<'_>, id: &str) -> StepResult {
    lab.call(Op::Delete, &Values::default().with("id", id).with("force", "")).map(drop)
}
