//! Carries out one check in the process that is its own: before, the story, after, the verdict.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_reports::model::{self, Evidence, Finding, Verdict};

use crate::check::{Body, Case, Check};
use crate::driver::milliseconds;
use crate::guard::{self, Guard};
use crate::judgement::{Judgement, Stop, Told};
use crate::keep;
use crate::lab::Lab;
use crate::release::Release;
use crate::settings::Settings;

/// What the run wants of each check, besides its verdict.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Where to keep bundles, logs and evidence.
    pub keep: Option<PathBuf>,
    /// How a user runs one check again; the id is put at the end.
    pub replay: String,
}

/// Carries out a check, in a process that [`crate::isolate`] has set apart. `tag` is unique in the run.
#[must_use]
pub fn conduct(check: &Check, settings: &Settings, tag: &str, wishes: &Wishes) -> model::Check {
    let started = Instant::now();
    let mut result = blank(check);
    match attempt(check, settings, tag, wishes, &mut result) {
        Ok(()) => {}
        Err(why) => {
            result.verdict = Verdict::Error;
            result.reason = format!("set-up: {why}");
        }
    }
    result.duration_ms = milliseconds(started.elapsed());
    result
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
    }
}

fn attempt(
    check: &Check,
    settings: &Settings,
    tag: &str,
    wishes: &Wishes,
    result: &mut model::Check,
) -> io::Result<()> {
    let dir = settings.dir.join(tag);
    fs::create_dir(&dir)?;
    guard::plant_canary(&dir.join(guard::CANARY))?;
    let lab = Lab::new(settings, dir.clone(), tag.to_owned());
    let guard = Guard::before(lab.watched())?;
    let mut judgement = Judgement::default();
    let told = catch_unwind(AssertUnwindSafe(|| tell(check, &lab, &mut judgement)));
    lab.take_down();
    // A story that broke off leaves its processes; nobody waits for those.
    let looked = if matches!(told, Ok(Ok(()))) { guard.after() } else { guard.after_within(Duration::ZERO) };
    let left = match looked {
        Ok(left) => left,
        Err(why) => {
            guard::sweep(tag)?;
            return Err(why);
        }
    };
    weigh(check, settings.release, told, &judgement, left, result);
    if matches!(result.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error | Verdict::Timeout)
        || wishes.keep.is_some()
    {
        result.evidence = Some(evidence(check, &lab, wishes));
    }
    drop(lab);
    guard::sweep(tag)?;
    guard::detach_below(&dir)?;
    if let Some(base) = &wishes.keep {
        let kept = keep::keep(&dir, base, &check.id, &settings.probe, result)?;
        if let Some(evidence) = &mut result.evidence {
            evidence.kept = Some(kept.to_string_lossy().into_owned());
        }
    }
    fs::remove_dir_all(&dir)
}

fn tell(check: &Check, lab: &Lab<'_>, out: &mut Judgement) -> Told {
    match check.body {
        Body::Case(case) => judge_case(case, lab, out),
        Body::Scenario(scenario) => (scenario.story)(lab, out),
    }
}

fn judge_case(case: &Case, lab: &Lab<'_>, out: &mut Judgement) -> Told {
    let container = lab.running(case.edits)?;
    let config = container.bundle.config.clone();
    let evidence = container.evidence((case.rule.asks)(&config))?;
    (case.rule.judge)(&config, &evidence, out);
    container.finish_and_delete()
}

type Caught = std::thread::Result<Told>;

/// From what was told, judged and left behind to a verdict.
fn weigh(
    check: &Check,
    release: Release,
    told: Caught,
    judgement: &Judgement,
    left: Vec<Finding>,
    result: &mut model::Check,
) {
    result.findings = judgement.findings().to_vec();
    let finished = matches!(told, Ok(Ok(())));
    match told {
        Err(panic) => return fail_of_ours(result, &panic_text(&*panic)),
        Ok(Err(Stop::Error(why))) => return fail_of_ours(result, &why),
        Ok(Err(Stop::Skip(why))) => {
            (result.verdict, result.reason) = (Verdict::Skip, why);
            return;
        }
        Ok(Err(Stop::Timeout(op))) => {
            (result.verdict, result.reason) = (Verdict::Timeout, format!("`{op}` did not end in time"));
            return;
        }
        Ok(Err(Stop::Broken(finding))) => result.findings.push(finding),
        Ok(Ok(())) if judgement.expectations() == 0 => return fail_of_ours(result, "the check judged nothing"),
        Ok(Ok(())) => {}
    }
    // A story that broke off has not tidied up; only what it cannot have made itself counts then.
    let left: Vec<Finding> = left.into_iter().filter(|finding| finished || is_harm(finding)).collect();
    let harmed = !left.is_empty();
    result.findings.extend(left);
    result.verdict =
        match (result.findings.is_empty(), (check.is_advisory(release) || judgement.is_advisory()) && !harmed) {
            (true, _) => Verdict::Pass,
            (false, true) => Verdict::Warn,
            (false, false) => Verdict::Fail,
        };
}

/// What no story does, however it breaks off: a change of something that is not the container's.
fn is_harm(finding: &Finding) -> bool {
    const OWN: [&str; 4] = ["cgroups", "host mounts", "processes", "state directory"];
    !OWN.contains(&finding.what.as_str())
}

fn fail_of_ours(result: &mut model::Check, why: &str) {
    (result.verdict, result.reason) = (Verdict::Error, why.to_owned());
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the check panicked: {}", text.unwrap_or("without a message"))
}

fn evidence(check: &Check, lab: &Lab<'_>, wishes: &Wishes) -> Evidence {
    let replay = format!("{} {}", wishes.replay, crate::driver::quote(&[check.id.clone().into()]));
    Evidence {
        replay,
        calls: lab.driver.calls(),
        configs: lab.configs().into_iter().map(|(name, config)| (name, config.into())).collect(),
        kept: None,
    }
}

/// Removes a directory of a check whose own process could not.
pub fn discard(dir: &Path) {
    if let Err(why) = fs::remove_dir_all(dir) {
        debug_assert!(why.kind() == io::ErrorKind::NotFound, "{why}");
    }
}
