//! The input of a random case, by kind, with the properties that are judged. It can be saved and run again.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_engine::check::{Check, Rule, is_optional};
use plimsoll_engine::fuzz_case::{self, CaseInput, CaseResult};
use plimsoll_engine::need::Abilities;
use plimsoll_engine::release::Release;
use plimsoll_engine::settings::Settings;
use plimsoll_reports::model::Clause;
use serde::{Deserialize, Serialize};

use super::bundle::fragment::{Fragment, Source, recipe, sources};
use super::bundle::rules;
use super::hostile::{self, Hostile};
use crate::clauses;
use crate::model::{self, Step};

/// What is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// A valid bundle; every rule that applies judges its container.
    Bundle(Vec<Fragment>),
    /// Operations on containers, held against the model.
    Lifecycle(Vec<Step>),
    /// A configuration, an id or a path that means harm.
    Hostile(Hostile),
}

impl Input {
    /// Its kind, as reports group it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "bundle",
            Self::Lifecycle(_) => "lifecycle",
            Self::Hostile(_) => "hostile",
        }
    }

    /// What it consists of: names of fragments, operations, a mutation.
    #[must_use]
    pub fn parts(&self) -> Vec<String> {
        match self {
            Self::Bundle(fragments) => fragments.iter().map(|fragment| fragment.name.clone()).collect(),
            Self::Lifecycle(steps) => steps.iter().map(ToString::to_string).collect(),
            Self::Hostile(hostile) => vec![hostile.to_string()],
        }
    }

    /// How many edits, operations or mutations it has.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Bundle(fragments) => fragments.iter().map(|fragment| fragment.edits.len()).sum(),
            Self::Lifecycle(steps) => steps.len(),
            Self::Hostile(_) => 1,
        }
    }

    /// The same without these parts; nothing when it cannot do without.
    #[must_use]
    pub fn without(&self, parts: &[String]) -> Option<Self> {
        let Self::Bundle(fragments) = self else { return None };
        let kept: Vec<Fragment> =
            fragments.iter().filter(|fragment| !parts.contains(&fragment.name)).cloned().collect();
        (!kept.is_empty() && kept.len() < fragments.len()).then_some(Self::Bundle(kept))
    }
}

/// Everything that random cases are judged by.
pub struct Judge {
    checks: Vec<Check>,
    abilities: Abilities,
    sections: Vec<String>,
    /// The rules that can be judged here, each with the number of a check that it is of.
    rules: Vec<(&'static Rule, usize)>,
    /// What each rule is about.
    members: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Judge {
    /// The judge of a runtime that has these abilities. Bundles are drawn from these sections, from all when there are none.
    #[must_use]
    pub fn new(checks: Vec<Check>, abilities: Abilities, sections: Vec<String>) -> Self {
        let members = rules::members(&checks);
        let met = |rule: &Rule| rule.needs.iter().all(|need| need.unmet(&abilities).is_none());
        let rules = rules::of(&checks).into_iter().filter(|(rule, _)| met(rule)).collect();
        Self { checks, abilities, sections, rules, members }
    }

    /// What bundles are drawn from.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        sources(&self.checks, &self.abilities, &self.sections)
    }

    /// The ids of the rules that have a case among what bundles are drawn from.
    #[must_use]
    pub fn drawn_rules(&self) -> Vec<String> {
        let subjects: BTreeSet<String> = self.sources().into_iter().map(|source| source.subject).collect();
        self.rules.iter().map(|(rule, _)| rule.id.to_owned()).filter(|id| subjects.contains(id)).collect()
    }

    /// Tries an input, in a process that is isolated.
    #[must_use]
    pub fn attempt(&self, input: &Input, facts: bool, settings: &Settings, tag: &str) -> CaseResult {
        match input {
            Input::Bundle(fragments) => {
                let recipe = recipe(fragments);
                let config = recipe.config();
                let none = BTreeSet::new();
                let may = |rule: &&Rule| {
                    let members = self.members.get(rule.id).unwrap_or(&none);
                    rules::may_judge(rule, members, fragments, &config)
                };
                let rules: Vec<&Rule> = self.rules.iter().map(|(rule, _)| *rule).filter(may).collect();
                fuzz_case::attempt(CaseInput { recipe: &recipe, rules: &rules, facts }, settings, tag)
            }
            Input::Lifecycle(steps) => model::attempt(steps, settings, tag),
            Input::Hostile(hostile) => hostile::attempt(hostile, settings, tag),
        }
    }

    fn check_of(&self, property: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id.split('/').next() == Some(property))
    }

    /// The clauses that a property rests on.
    #[must_use]
    pub fn clauses(&self, property: &str) -> Vec<Clause> {
        if let Some(check) = self.check_of(property) {
            return check.clauses.iter().map(|clause| Clause::clone(clause)).collect();
        }
        let known = clauses::all();
        let cited = OF_ENGINE.iter().chain(model::CITES).chain(hostile::CITES);
        let cited = cited.filter(|(name, _)| *name == property).map(|(_, clause)| *clause);
        cited.filter_map(|clause| clauses::find(&known, clause)).collect()
    }

    /// Whether a breach of a property does not bind a runtime of this release: its clauses are no more than advice or of
    /// a later release, or it is a failure to run what a check of that sort asks for.
    #[must_use]
    pub fn is_advisory(&self, property: &str, parts: &[String], release: Release) -> bool {
        if let Some(check) = self.check_of(property) {
            return check.why_advisory(release).is_some();
        }
        let asked = |part: &String| self.checks.iter().find(|check| check.id == *part);
        let advised = parts.iter().filter_map(asked).any(|check| check.why_advisory(release).is_some());
        let clauses = self.clauses(property);
        advised || (!clauses.is_empty() && clauses.iter().all(|clause| is_optional(&clause.level)))
    }
}

/// What the properties of every bundle rest on.
const OF_ENGINE: &[(&str, &str)] = &[
    (fuzz_case::RUNS, "runtime.create.all-properties-applied"),
    (fuzz_case::IN_TIME, "runtime.operations.supported"),
    (fuzz_case::LEAVES_NOTHING, "runtime.delete.removes-created-resources"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_property_beside_the_rules_cites_a_clause() {
        let known = clauses::all();
        for (property, clause) in OF_ENGINE.iter().chain(model::CITES).chain(hostile::CITES) {
            assert!(clauses::find(&known, clause).is_some(), "{property} cites {clause}");
        }
    }
}
