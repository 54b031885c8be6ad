//! Executes one check, or a batch of cases, in its worker process and determines the verdict.

use std::io;
use std::path::PathBuf;
use std::time::Instant;

use plimsoll_reports::model::{self, Evidence, Finding, Verdict};
use serde::{Deserialize, Serialize};

use crate::checks::artifacts;
use crate::checks::batch;
use crate::checks::broken_clauses::BrokenClauses;
use crate::checks::check::{Body, Case, Check};
use crate::checks::circumstance::Program;
use crate::checks::guarded::{Caught, clear, is_harm, panic_text, run_on_lab};
use crate::checks::run_dir;
use crate::containers::lab::Lab;
use crate::guard::Change;
use crate::runtime::driver::milliseconds;
use crate::runtime::judgement::{Judgement, StepResult, Stop};
use crate::runtime::release::Release;
use crate::runtime::settings::Settings;
use crate::system::cgroup;

/// What to do with each check besides determining its verdict.
#[derive(Clone, Debug, Default)]
pub struct ExecuteOptions {
    /// Where to keep bundles, logs and evidence.
    pub keep: Option<PathBuf>,
    /// How a user runs one check again; the id is put at the end.
    pub replay: String,
}

impl ExecuteOptions {
    /// How a user runs this check again.
    pub(crate) fn replay_of(&self, check: &Check) -> String {
        format!("{} {}", self.replay, crate::runtime::driver::quote(&[check.id.clone().into()]))
    }
}

/// What a worker sends to the supervisor.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Done {
    /// The results of the checks that are settled.
    pub results: Vec<model::Check>,
    /// What has changed for the whole host meanwhile. Where the checks ran by themselves this was theirs, is among the
    /// findings and was undone; else nothing is settled, and nothing was undone.
    pub changes: Vec<Change>,
    /// The configurations that were seen to run; see [`Settings::controls`].
    pub controls: Vec<u64>,
}

/// Executes a check, in an isolated process ([`crate::sandbox::isolate`]). `tag` is unique in the run.
#[must_use]
pub fn execute(check: &Check, settings: &Settings, tag: &str, options: &ExecuteOptions) -> Done {
    let started = Instant::now();
    let mut result = blank(check);
    let mut done = attempt(check, settings, tag, options, &mut result).unwrap_or_else(|why| {
        harness_error(&mut result, &format!("set-up: {why}"));
        Done::default()
    });
    run_dir::blame(&mut result, settings);
    result.duration_ms = milliseconds(started.elapsed());
    if done.changes.is_empty() || settings.exclusive {
        done.results.push(result);
    }
    done
}

/// The result of a check that has not run.
#[must_use]
pub fn blank(check: &Check) -> model::Check {
    model::Check {
        id: check.id.clone(),
        section: check.section().to_owned(),
        axis: check.axis(),
        clauses: check.clauses.clone(),
        verdict: Verdict::Skip,
        duration_ms: 0.0,
        reason: String::new(),
        findings: Vec::new(),
        evidence: None,
        known: None,
        shared_with: Vec::new(),
    }
}

fn attempt(
    check: &Check,
    settings: &Settings,
    tag: &str,
    options: &ExecuteOptions,
    result: &mut model::Check,
) -> io::Result<Done> {
    let mut judgement = Judgement::default();
    let run = run_on_lab(settings, tag, |lab| run_body(check, lab, &mut judgement))?;
    let clean = run.left.is_empty();
    let controls = run.lab.controls();
    decide(check, settings.release, run.result, &judgement, run.left, result);
    blame_on_limits(result, &cgroup::reached());
    if matches!(result.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error | Verdict::Timeout)
        || options.keep.is_some()
    {
        result.evidence = Some(evidence(check, &run.lab, options));
    }
    clear(run.lab, clean, |dir| {
        let Some(base) = &options.keep else { return Ok(()) };
        let kept = artifacts::save(dir, base, &check.id, &settings.probe, result)?;
        if let Some(evidence) = &mut result.evidence {
            evidence.kept = Some(kept.to_string_lossy().into_owned());
        }
        Ok(())
    })?;
    Ok(Done { results: Vec::new(), changes: run.changes, controls })
}

/// Executes a batch of cases in one container, in an isolated process ([`crate::sandbox::isolate`]). What is
/// returned has passed; the other cases have no verdict yet, whatever the reason.
#[must_use]
pub fn execute_batch(checks: &[&Check], settings: &Settings, tag: &str) -> Done {
    let started = Instant::now();
    // An error of the harness is reported when the cases run alone.
    let mut done = attempt_batch(checks, settings, tag).unwrap_or_default();
    let each = milliseconds(started.elapsed()) / f64::from(u32::try_from(checks.len()).unwrap_or(1));
    done.results.iter_mut().for_each(|result| result.duration_ms = each);
    done
}

fn attempt_batch(checks: &[&Check], settings: &Settings, tag: &str) -> io::Result<Done> {
    let mut passed = Vec::new();
    let run = run_on_lab(settings, tag, |lab| judge_batch(checks, lab, &mut passed))?;
    let clean = run.left.is_empty();
    let settled = matches!(run.result, Ok(Ok(()))) && clean && run.changes.is_empty();
    clear(run.lab, clean, |_| Ok(()))?;
    let shared_with = |own: &Check| checks.iter().map(|check| check.id.clone()).filter(|id| *id != own.id).collect();
    let result = |check| model::Check { verdict: Verdict::Pass, shared_with: shared_with(check), ..blank(check) };
    let results = if settled { passed.into_iter().map(result).collect() } else { Vec::new() };
    Ok(Done { results, changes: run.changes, controls: Vec::new() })
}

fn run_body(check: &Check, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    check.under.enter(lab)?;
    match check.body {
        Body::Case(case) => judge_case(check, case, lab, out),
        Body::Scenario(scenario) => {
            (scenario.run)(lab, out)?;
            lab.control_if_none_ran()
        }
    }
}

fn judge_case(check: &Check, case: &Case, lab: &Lab<'_>, out: &mut Judgement) -> StepResult {
    let recipe = check.recipe().unwrap_or_default();
    if check.under.program == Program::Added {
        return case.rule.judge_added(lab, recipe, out);
    }
    let container = lab.running_by(check.under.way, &recipe)?;
    let config = container.bundle.config.clone();
    let evidence = case.rule.collect_evidence(&container, &config)?;
    (case.rule.judge)(&config, &evidence, out);
    container.finish_and_delete()
}

/// Judges each of several cases on the one container that they share, as if it were the case's own.
fn judge_batch<'c>(checks: &[&'c Check], lab: &Lab<'_>, passed: &mut Vec<&'c Check>) -> StepResult {
    let [first, ..] = checks else { return Ok(()) };
    first.under.enter(lab)?;
    let container = lab.running_by(first.under.way, &batch::combined(checks))?;
    for check in checks {
        let (Body::Case(case), Some(recipe)) = (check.body, check.recipe()) else { continue };
        let bundle = lab.seen_as(&container.bundle, &recipe);
        let mut out = Judgement::default();
        let mut evidence = case.rule.collect_evidence(&container, &bundle.config)?;
        evidence.bundle = bundle;
        (case.rule.judge)(&evidence.bundle.config, &evidence, &mut out);
        if out.expectations() > 0 && out.findings().is_empty() {
            passed.push(check);
        }
    }
    container.finish_and_delete()
}

/// Why an exit code of 0 alone is no failure.
const EXIT_CODE_ONLY: &str = "only the exit code is wrong, and the specification leaves open how errors are reported";

/// Decides the verdict from the result, the judgement and what was left behind.
fn decide(
    check: &Check,
    release: Release,
    told: Caught,
    judgement: &Judgement,
    left: Vec<Finding>,
    result: &mut model::Check,
) {
    result.findings = judgement.findings().to_vec();
    let mut broken = BrokenClauses::of(judgement);
    let finished = matches!(told, Ok(Ok(()) | Err(Stop::Unsupported(_))));
    match told {
        Err(panic) => return abort(result, &panic_text(&*panic), left),
        Ok(Err(Stop::Error(why))) => return abort(result, &why, left),
        Ok(Err(Stop::Skip(why))) => {
            (result.verdict, result.reason) = (Verdict::Skip, why);
            return;
        }
        Ok(Err(Stop::Unsupported(why))) if left.is_empty() => {
            (result.verdict, result.reason) = (Verdict::Skip, why);
            return;
        }
        Ok(Err(Stop::Unsupported(why))) => result.reason = why,
        Ok(Err(Stop::Timeout(op))) => {
            result.clauses = broken.with_hang(op).clauses(&check.clauses, &check.base_clauses);
            (result.verdict, result.reason) = (Verdict::Timeout, format!("`{op}` did not end within the timeout"));
            return;
        }
        Ok(Err(Stop::Broken(finding))) => {
            broken = broken.with_failure(&finding);
            result.findings.push(finding);
        }
        Ok(Ok(())) if judgement.expectations() == 0 => return harness_error(result, "the check judged nothing"),
        Ok(Ok(())) => {}
    }
    // A check that ended early has not cleaned up; then only what it cannot have made itself counts.
    let left: Vec<Finding> = left.into_iter().filter(|finding| finished || is_harm(finding)).collect();
    let harmed = !left.is_empty();
    broken.left = left.iter().any(|finding| !is_harm(finding));
    let exit_code_only = finished && judgement.is_exit_code_only();
    result.findings.extend(left);
    if result.findings.is_empty() {
        result.verdict = Verdict::Pass;
        return;
    }
    let exit_code_only = exit_code_only.then(|| EXIT_CODE_ONLY.to_owned());
    let why = judgement.advisory().map(str::to_owned).or_else(|| check.why_advisory(release)).or(exit_code_only);
    (result.verdict, result.reason) = match why {
        Some(why) if !harmed && !judgement.has_side_effects() => (Verdict::Warn, format!("only a warning: {why}")),
        _ => (Verdict::Fail, std::mem::take(&mut result.reason)),
    };
    if result.verdict == Verdict::Fail {
        result.clauses = broken.clauses(&check.clauses, &check.base_clauses);
    }
}

/// A check that could not continue. If the runtime changed something outside of the container, that is the reason, and a failure of the
/// runtime; otherwise it is an error of the harness.
fn abort(result: &mut model::Check, why: &str, left: Vec<Finding>) {
    let harm: Vec<Finding> = left.into_iter().filter(is_harm).collect();
    if harm.is_empty() {
        return harness_error(result, why);
    }
    result.findings.extend(harm);
    (result.verdict, result.reason) = (Verdict::Fail, format!("the check could not continue: {why}"));
}

/// Says so when a check went wrong whose processes had all that the harness allows them. That it could start none of its own, or
/// was told nothing, is then the runtime's doing.
fn blame_on_limits(result: &mut model::Check, reached: &[String]) {
    let Some(words) = reached_words(reached) else { return };
    match result.verdict {
        Verdict::Error => result.verdict = Verdict::Fail,
        Verdict::Fail | Verdict::Warn | Verdict::Timeout => {}
        Verdict::Pass | Verdict::Skip => return,
    }
    result.reason = if result.reason.is_empty() { words } else { format!("{}; {words}", result.reason) };
}

/// The limits that were reached, as text; none if there are none.
pub(crate) fn reached_words(reached: &[String]) -> Option<String> {
    let list = reached.join(" and ");
    (!reached.is_empty())
        .then(|| format!("the processes of the runtime reached {list}, which the harness sets for each check"))
}

fn harness_error(result: &mut model::Check, why: &str) {
    (result.verdict, result.reason) = (Verdict::Error, why.to_owned());
}

fn evidence(check: &Check, lab: &Lab<'_>, options: &ExecuteOptions) -> Evidence {
    Evidence {
        replay: options.replay_of(check),
        calls: lab.driver.calls(),
        configs: lab.configs().into_iter().map(|(name, config)| (name, config.into())).collect(),
        kept: None,
    }
}
