//! What a check is. A [`Rule`] judges what is true of every running container, a [`Case`] is a list of edits that makes one rule apply,
//! a [`Scenario`] is a sequence of operations where order, errors or leftovers matter.

use std::sync::Arc;

use plimsoll_fixtures::probe::Ask;
use plimsoll_fixtures::{Config, Recipe};
use plimsoll_reports::model::{Axis, Clause};

use crate::checks::circumstance::Circumstance;
use crate::checks::need::Need;
use crate::containers::evidence::Evidence;
use crate::containers::lab::Lab;
use crate::runtime::fault::Fault;
use crate::runtime::judgement::{Judgement, StepResult};
use crate::runtime::release::Release;
use crate::system::cgroup::Knob;

/// What is true of every running container whose configuration makes it apply.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable name, `section.subject`.
    pub id: &'static str,
    /// Ids of the clauses that the verdict rests on.
    pub cites: &'static [&'static str],
    /// Which standard it holds the runtime to.
    pub axis: Axis,
    /// Why a broken expectation is only a warning, although a cited clause is mandatory: where the specification
    /// contradicts itself, or leaves room. That many runtimes break the clause is no reason.
    pub advisory: Option<&'static str>,
    /// What must be there for it to be judged.
    pub needs: &'static [Need],
    /// What to ask inside.
    pub asks: fn(&Config) -> Vec<Ask>,
    /// Settings of the container's own control groups that it looks at.
    pub knobs: &'static [Knob],
    /// How to judge the facts.
    pub judge: fn(&Config, &Evidence, &mut Judgement),
}

impl Rule {
    /// A rule of the specification that judges by answers from inside.
    #[must_use]
    pub const fn new(
        id: &'static str,
        cites: &'static [&'static str],
        asks: fn(&Config) -> Vec<Ask>,
        judge: fn(&Config, &Evidence, &mut Judgement),
    ) -> Self {
        Self { id, cites, axis: Axis::Spec, advisory: None, needs: &[], asks, knobs: &[], judge }
    }

    /// A rule of the specification that judges by the host's view alone.
    #[must_use]
    pub const fn by_host(
        id: &'static str,
        cites: &'static [&'static str],
        judge: fn(&Config, &Evidence, &mut Judgement),
    ) -> Self {
        Self::new(id, cites, |_| Vec::new(), judge).needs(&[Need::HostView])
    }

    /// A rule that also looks at these settings of the container's own control groups.
    #[must_use]
    pub const fn knobs(mut self, knobs: &'static [Knob]) -> Self {
        self.knobs = knobs;
        self
    }

    /// With these needs, instead of those before.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// A rule whose breach is a warning, for this reason.
    #[must_use]
    pub const fn advisory(mut self, why: &'static str) -> Self {
        self.advisory = Some(why);
        self
    }

    /// A rule of another standard.
    #[must_use]
    pub const fn axis(mut self, axis: Axis) -> Self {
        self.axis = axis;
        self
    }
}

/// One container that a rule is judged on.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The rule.
    pub rule: &'static Rule,
    /// Name within the rule.
    pub name: &'static str,
    /// How the configuration differs from the base.
    pub edits: fn(&mut Recipe) -> &mut Recipe,
    /// What must be there, besides what the rule needs.
    pub needs: &'static [Need],
    /// The faulty runtimes that must turn this case red.
    pub proves: &'static [Fault],
}

impl Case {
    /// A case, and the faulty runtimes that must turn it red.
    #[must_use]
    pub const fn new(
        rule: &'static Rule,
        name: &'static str,
        edits: fn(&mut Recipe) -> &mut Recipe,
        proves: &'static [Fault],
    ) -> Self {
        Self { rule, name, edits, needs: &[], proves }
    }

    /// With needs of its own.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }
}

/// A sequence of operations, where order, errors or leftovers matter.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Stable name, `section.subject/scenario`.
    pub id: &'static str,
    /// Ids of the clauses that the verdict rests on.
    pub cites: &'static [&'static str],
    /// Which standard it holds the runtime to.
    pub axis: Axis,
    /// Why a broken expectation is only a warning, although a cited clause is mandatory: where the specification
    /// contradicts itself, or leaves room. That many runtimes break the clause is no reason.
    pub advisory: Option<&'static str>,
    /// What it needs.
    pub needs: &'static [Need],
    /// Whether it may wait for a deadline: it is started before the others, so that they run meanwhile.
    pub waits: bool,
    /// The faulty runtimes that must turn it red.
    pub proves: &'static [Fault],
    /// The scenario.
    pub run: fn(&Lab<'_>, &mut Judgement) -> StepResult,
}

impl Scenario {
    /// A scenario of the specification.
    #[must_use]
    pub const fn new(
        id: &'static str,
        cites: &'static [&'static str],
        proves: &'static [Fault],
        run: fn(&Lab<'_>, &mut Judgement) -> StepResult,
    ) -> Self {
        Self { id, cites, axis: Axis::Spec, advisory: None, needs: &[], waits: false, proves, run }
    }

    /// With these needs.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// A scenario that may wait for a deadline.
    #[must_use]
    pub const fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    /// A scenario whose breach is a warning, for this reason.
    #[must_use]
    pub const fn advisory(mut self, why: &'static str) -> Self {
        self.advisory = Some(why);
        self
    }

    /// A scenario of another standard.
    #[must_use]
    pub const fn axis(mut self, axis: Axis) -> Self {
        self.axis = axis;
        self
    }
}

/// How a check is carried out.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// One container, judged by one rule.
    Case(&'static Case),
    /// A scenario.
    Scenario(&'static Scenario),
}

/// The clauses that every container relies on. A finding that breaks one of them cites it, whatever else the check cites.
#[derive(Debug)]
pub struct BaseClauses {
    /// Create makes a container.
    pub created: Arc<Clause>,
    /// Start runs the program.
    pub started: Arc<Clause>,
    /// Delete takes away what create made.
    pub removed: Arc<Clause>,
    /// An operation that fails changes nothing.
    pub undone: Arc<Clause>,
}

/// A case or a scenario, ready to be scheduled.
#[derive(Clone, Debug)]
pub struct Check {
    /// Stable name: `section.subject/case`.
    pub id: String,
    /// The cited clauses in full.
    pub clauses: Vec<Arc<Clause>>,
    /// What it rests on besides.
    pub base_clauses: Arc<BaseClauses>,
    /// How it is carried out.
    pub body: Body,
    /// Under which circumstance.
    pub under: &'static Circumstance,
}

impl Check {
    /// The part of the id before the first dot.
    #[must_use]
    pub fn section(&self) -> &str {
        self.id.split('.').next().unwrap_or(&self.id)
    }

    /// Ids of the cited clauses.
    pub fn cites(&self) -> impl Iterator<Item = &str> {
        self.clauses.iter().map(|clause| clause.id.as_str())
    }

    /// Which standard it holds the runtime to.
    #[must_use]
    pub fn axis(&self) -> Axis {
        match self.body {
            Body::Case(case) => case.rule.axis,
            Body::Scenario(scenario) => scenario.axis,
        }
    }

    /// What must be there for it to run.
    pub fn needs(&self) -> impl Iterator<Item = &'static Need> {
        let (first, second): (&'static [Need], &'static [Need]) = match self.body {
            Body::Case(case) => (case.rule.needs, case.needs),
            Body::Scenario(scenario) => (scenario.needs, &[]),
        };
        first.iter().chain(second).chain(self.under.needs)
    }

    /// What a case asks for, under its circumstance; nothing for a scenario.
    #[must_use]
    pub fn recipe(&self) -> Option<Recipe> {
        let Body::Case(case) = self.body else { return None };
        let mut recipe = Recipe::default();
        (self.under.edits)(&mut recipe);
        (case.edits)(&mut recipe);
        Some((self.under.finish)(recipe))
    }

    /// Whether it may wait for a deadline.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self.body, Body::Scenario(scenario) if scenario.waits)
    }

    /// The faulty runtimes that must turn it red.
    #[must_use]
    pub fn proves(&self) -> &'static [Fault] {
        match self.body {
            Body::Case(case) => case.proves,
            Body::Scenario(scenario) => scenario.proves,
        }
    }

    /// Why a broken expectation is only a warning, where the check itself says so.
    #[must_use]
    pub fn advisory(&self) -> Option<&'static str> {
        let own = match self.body {
            Body::Case(case) => case.rule.advisory,
            Body::Scenario(scenario) => scenario.advisory,
        };
        own.or(self.under.advisory)
    }

    /// Why a broken expectation is only a warning for a runtime of this release: no cited clause is mandatory, or none of
    /// those is as old as the release, or the check says so. Nothing when it is a failure.
    #[must_use]
    pub fn why_advisory(&self, release: Release) -> Option<String> {
        let mut mandatory = self.clauses.iter().filter(|clause| !is_optional(&clause.level)).peekable();
        if mandatory.peek().is_none() {
            return Some(self.why_optional().to_owned());
        }
        let in_force = |clause: &Arc<Clause>| Release::parse(&clause.since).is_none_or(|since| since <= release);
        if !mandatory.any(in_force) {
            return Some(format!(
                "every mandatory clause cited came after {release}, the release that the runtime is judged by"
            ));
        }
        self.advisory().map(str::to_owned)
    }

    /// What the levels of clauses that are all optional come to.
    fn why_optional(&self) -> &'static str {
        let has = |level: &str| self.clauses.iter().any(|clause| clause.level == level);
        if has("users rely") {
            "users rely on it, engines do not"
        } else if has("worth knowing") {
            "a difference worth knowing, on which no caller is known to rely"
        } else {
            "no cited clause is mandatory"
        }
    }
}

/// Whether a runtime that departs from a clause of this level keeps the specification all the same.
#[must_use]
pub fn is_optional(level: &str) -> bool {
    matches!(
        level,
        "SHOULD" | "SHOULD NOT" | "MAY" | "MAY NOT" | "OPTIONAL" | "RECOMMENDED" | "NOT RECOMMENDED"
        // Of what the specification is silent about.
        | "users rely" | "worth knowing"
    )
}
