//! Runs a random bundle: one container, judged by all rules that apply. The result has no verdict; it lists the properties that were
//! violated.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use plimsoll_fixtures::probe::{Answer, Ask};
use plimsoll_fixtures::{Config, Recipe};
use plimsoll_reports::model::{Call, Finding};
use serde::{Deserialize, Serialize};

use crate::checks::check::Rule;
use crate::checks::guarded::{GuardedRun, is_harm, run_guarded};
use crate::checks::need::Need;
use crate::containers::container::Container;
use crate::containers::evidence::Evidence;
use crate::containers::lab::Lab;
use crate::runtime::judgement::{Judgement, StepResult, Stop};
use crate::runtime::settings::Settings;
use crate::system::cgroup::Knob;

/// A valid bundle is created, started, answers and is deleted.
pub const RUNS: &str = "bundle.runs";
/// No call of the runtime takes longer than its deadline.
pub const IN_TIME: &str = "bundle.in-time";
/// After delete the host is as before.
pub const LEAVES_NOTHING: &str = "bundle.leaves-nothing";

/// The result of a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The properties that were broken.
    pub broken: Vec<BrokenProperty>,
    /// The rules that found something to judge.
    pub judged: BTreeSet<String>,
    /// The facts that each rule judged by, to compare runtimes.
    pub facts: BTreeMap<String, Vec<Fact>>,
    /// Why nothing is known: a failure of ours.
    pub error: Option<String>,
    /// The calls of the runtime, where something was broken.
    pub calls: Vec<Call>,
}

/// A property that does not hold, and how that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenProperty {
    /// Its name: that of a rule, or one of the constants here.
    pub property: String,
    /// What was not as expected.
    pub findings: Vec<Finding>,
    /// Whether the judge says that it does not bind this runtime.
    pub advisory: bool,
}

/// A question and its answer, without what differs from container to container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The question.
    pub ask: String,
    /// The answer.
    pub answer: String,
}

impl BrokenProperty {
    /// A property, and what broke it.
    #[must_use]
    pub fn by(property: &str, findings: Vec<Finding>) -> Self {
        Self { property: property.to_owned(), findings, advisory: false }
    }
}

/// What to try.
#[derive(Clone, Copy, Debug)]
pub struct CaseInput<'o> {
    /// The bundle.
    pub recipe: &'o Recipe,
    /// The rules to judge by; those with nothing to judge say nothing.
    pub rules: &'o [&'o Rule],
    /// Whether to report the facts.
    pub facts: bool,
}

/// Tries a bundle, in a process that [`crate::sandbox::isolate`] has isolated.
#[must_use]
pub fn attempt(input: CaseInput<'_>, settings: &Settings, tag: &str) -> CaseResult {
    let mut result = CaseResult::default();
    match run_guarded(settings, tag, |lab| judge_all(input, lab, &mut result)) {
        Ok(done) => done.settle(RUNS, LEAVES_NOTHING, IN_TIME, &mut result),
        Err(why) => result.error = Some(format!("set-up: {why}")),
    }
    result
}

impl GuardedRun {
    /// Puts down what was broken, under these names.
    pub fn settle(self, runs: &str, leaves_nothing: &str, in_time: &str, result: &mut CaseResult) {
        let finished = matches!(self.result, Ok(()) | Err(Stop::Unsupported(_)));
        match self.result {
            Ok(()) | Err(Stop::Unsupported(_)) => {}
            Err(Stop::Broken(finding)) => result.broken.push(BrokenProperty::by(runs, vec![finding])),
            Err(Stop::Timeout(op)) => {
                let finding =
                    Finding { what: op.to_string(), expected: "ends in time".into(), observed: "it hangs".into() };
                result.broken.push(BrokenProperty::by(in_time, vec![finding]));
            }
            Err(Stop::Error(why) | Stop::Skip(why)) => result.error = Some(why),
        }
        // A check that ended early has not cleaned up; then only what it cannot have made itself counts.
        let left: Vec<Finding> = self.left.into_iter().filter(|it| finished || is_harm(it)).collect();
        if !left.is_empty() {
            result.broken.push(BrokenProperty::by(leaves_nothing, left));
        }
        if !result.broken.is_empty() || result.error.is_some() {
            result.calls = self.calls;
        }
    }
}

fn judge_all(input: CaseInput<'_>, lab: &Lab<'_>, result: &mut CaseResult) -> StepResult {
    let container = lab.create(&lab.build(input.recipe)?)?;
    container.started()?;
    let config = container.bundle.config.clone();
    let is_loud = |rule: &&&Rule| (rule.asks)(&config).iter().any(changes_something);
    let (loud, quiet): (Vec<&Rule>, Vec<&Rule>) = input.rules.iter().partition(is_loud);
    let mut note = |rule: &Rule, evidence: &Evidence| {
        judge(rule, &config, evidence, result);
        if input.facts && result.judged.contains(rule.id) {
            result.facts.insert(rule.id.to_owned(), facts(rule, &config, evidence, lab));
        }
    };
    let seen = input.rules.iter().any(|rule| rule.needs.contains(&Need::HostView));
    let shared = gather(&quiet, seen, &container, &config)?;
    quiet.iter().for_each(|rule| note(rule, &shared));
    // What changes something is asked last, in the order of the rule.
    for rule in loud {
        let asks = (rule.asks)(&config);
        let inside = container.answers(asks)?;
        note(rule, &Evidence { inside, ..shared.clone() });
    }
    container.finish_and_delete()
}

/// Everything that the rules want to know, each question once; the host's view where it is to be seen.
fn gather(rules: &[&Rule], seen: bool, container: &Container<'_>, config: &Config) -> StepResult<Evidence> {
    let outside = if seen { Some(container.observe()?) } else { None };
    let asks: BTreeSet<Ask> = rules.iter().flat_map(|rule| (rule.asks)(config)).collect();
    let inside = container.answers(asks.into_iter().collect())?;
    let knobs: BTreeSet<Knob> = rules.iter().flat_map(|rule| rule.knobs).copied().collect();
    let knob_values =
        knobs.into_iter().map(|knob| Ok((knob, container.knob_value(&knob)?))).collect::<StepResult<_>>()?;
    Ok(Evidence { inside, outside, knob_values, bundle: container.bundle.clone() })
}

fn changes_something(ask: &Ask) -> bool {
    use Ask::{Chmod, Mkdir, Mknod, Open, Run, Syscall, TouchByRead, Write};
    let changes_file = matches!(ask, Write { .. } | Chmod { .. } | Mkdir(_) | Mknod { .. } | TouchByRead(_));
    changes_file || matches!(ask, Run(_) | Syscall { .. } | Open { .. })
}

fn judge(rule: &Rule, config: &Config, evidence: &Evidence, result: &mut CaseResult) {
    let mut out = Judgement::default();
    let judged = catch_unwind(AssertUnwindSafe(|| (rule.judge)(config, evidence, &mut out)));
    if judged.is_err() {
        result.error = Some(format!("{} panicked", rule.id));
    }
    if out.expectations() > 0 {
        result.judged.insert(rule.id.to_owned());
    }
    if !out.findings().is_empty() {
        let advisory = out.advisory().is_some();
        result.broken.push(BrokenProperty {
            property: rule.id.to_owned(),
            findings: out.findings().to_vec(),
            advisory,
        });
    }
}

/// The answers that a rule got, with the names of this container taken out.
fn facts(rule: &Rule, config: &Config, evidence: &Evidence, lab: &Lab<'_>) -> Vec<Fact> {
    let plain =
        |text: String| text.replace(&lab.dir.to_string_lossy().into_owned(), "{dir}").replace(&lab.tag, "{tag}");
    let asks: BTreeSet<Ask> = (rule.asks)(config).into_iter().collect();
    let answer = |ask: &Ask| -> Answer { evidence.inside.get(ask).cloned().map_err(Clone::clone) };
    asks.iter()
        .map(|ask| Fact { ask: plain(format!("{ask:?}")), answer: plain(format!("{:?}", answer(ask))) })
        .collect()
}

/// The text of an error that keeps a case from being tried.
#[must_use]
pub fn died(late: bool) -> CaseResult {
    failed(if late { "the case did not end in time" } else { "the process of the case died" })
}

/// What comes of a case that the user interrupted: nothing is known of the runtime.
#[must_use]
pub fn interrupted() -> CaseResult {
    failed("interrupted")
}

fn failed(why: &str) -> CaseResult {
    CaseResult { error: Some(why.to_owned()), ..CaseResult::default() }
}
