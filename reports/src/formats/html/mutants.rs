//! A proof: the kill matrix of groups of mutants by sections of checks, each mutant, and the neutral variations.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::untrusted::{Line, anchor};
use crate::model::proof::{Mutant, Outcome, Pair, Proof, section_of};
use crate::text::plural;

/// The part of the page about one proof.
pub(super) struct Part<'a> {
    pub(super) proof: &'a Proof,
    /// Which of the proofs on the page it is.
    at: usize,
    fates: BTreeMap<&'a str, Outcome>,
    /// The pairs of each mutant.
    pairs: BTreeMap<&'a str, Vec<&'a Pair>>,
    groups: BTreeMap<&'a str, Vec<&'a Mutant>>,
}

/// How many pairs of a cell were killed, of those that could be tried.
#[derive(Clone, Copy, Default)]
struct Cell {
    killed: usize,
    survived: usize,
    tried: usize,
}

impl<'a> Part<'a> {
    pub(super) fn new(at: usize, proof: &'a Proof) -> Self {
        let mut pairs: BTreeMap<&str, Vec<&Pair>> = BTreeMap::new();
        proof.pairs.iter().for_each(|pair| pairs.entry(&pair.mutant).or_default().push(pair));
        let mut groups: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
        proof.mutants.iter().for_each(|mutant| groups.entry(&mutant.group).or_default().push(mutant));
        Self { proof, at, fates: proof.fates(), pairs, groups }
    }

    pub(super) fn name(&self) -> String {
        self.proof.runtime.name()
    }

    /// Where on the page it is.
    pub(super) fn anchor(&self) -> String {
        if self.at == 0 { "mutants".to_owned() } else { format!("mutants-{}", self.at + 1) }
    }

    pub(super) fn render(&self) -> Markup {
        html! {
            section aria-labelledby=(self.anchor()) {
                h2 id=(self.anchor()) { "Mutants of " (Line(&self.name())) }
                p { (crate::table::proof::counts(&self.proof.counted())) "." }
                (self.matrix())
                (self.survivors())
                @for (group, mutants) in &self.groups { (self.group(group, mutants)) }
                (self.vacuous())
                (self.fairness())
            }
        }
    }

    fn pairs_of(&self, mutant: &Mutant) -> &[&'a Pair] {
        self.pairs.get(mutant.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Groups by sections; a cell says how many of its pairs were killed.
    fn matrix(&self) -> Markup {
        let sections: BTreeSet<&str> = self.proof.pairs.iter().map(|pair| section_of(&pair.check)).collect();
        html! {
            section.scroll.tall tabindex="0" aria-label="Kill matrix" {
                table.matrix.kills {
                    caption { "Pairs of mutant and check that were killed, of those tried" }
                    thead { tr {
                        th scope="col" { "Mutants of" }
                        th.number scope="col" { "Mutants" }
                        @for section in &sections { th.number scope="col" { (Line(section)) } }
                    } }
                    tbody { @for (group, mutants) in &self.groups { tr {
                        th scope="row" { a href={ "#" (anchor(&self.anchor(), group)) } { (Line(group)) } }
                        td.number { (mutants.len()) }
                        @for cell in self.cells(mutants, &sections) { (kills(cell)) }
                    } } }
                }
            }
        }
    }

    fn cells(&self, mutants: &[&Mutant], sections: &BTreeSet<&str>) -> Vec<Cell> {
        let mut cells: BTreeMap<&str, Cell> = sections.iter().map(|section| (*section, Cell::default())).collect();
        for pair in mutants.iter().flat_map(|mutant| self.pairs_of(mutant)) {
            let cell = cells.entry(section_of(&pair.check)).or_default();
            cell.killed += usize::from(pair.outcome == Outcome::Killed);
            cell.survived += usize::from(pair.outcome == Outcome::Survived);
            cell.tried += usize::from(pair.outcome != Outcome::NotApplicable);
        }
        cells.into_values().collect()
    }

    fn survivors(&self) -> Markup {
        let survivors: Vec<&Mutant> =
            self.proof.mutants.iter().filter(|mutant| self.fates[mutant.id.as_str()] == Outcome::Survived).collect();
        html! {
            @if !survivors.is_empty() {
                h3 { "Survivors" }
                ul.entries { @for mutant in survivors { li {
                    code.id { (Line(&mutant.id)) }
                    @match self.proof.explanation(&mutant.id) {
                        Some(reason) => span { "explained: " (Line(reason)) },
                        None => span.aside.red { "not explained" },
                    }
                } } }
            }
        }
    }

    fn group(&self, name: &str, mutants: &[&Mutant]) -> Markup {
        let mut fates: BTreeMap<Outcome, usize> = BTreeMap::new();
        mutants.iter().for_each(|mutant| *fates.entry(self.fates[mutant.id.as_str()]).or_default() += 1);
        html! {
            details.section id=(anchor(&self.anchor(), name)) {
                summary {
                    h3 { (Line(name)) }
                    span.tally { @for (fate, count) in fates { span class=(class(fate)) { (count) " " (fate) } } }
                }
                ul.checks { @for mutant in mutants { li { (self.mutant(mutant)) } } }
            }
        }
    }

    fn mutant(&self, mutant: &Mutant) -> Markup {
        let fate = self.fates[mutant.id.as_str()];
        html! {
            details {
                summary {
                    span class={ "chip " (class(fate)) } { (fate) }
                    code.id { (Line(&mutant.id)) }
                }
                p { "A runtime that " (Line(&mutant.description)) ". Checks: " (Line(&mutant.applies_to)) "." }
                ul.entries { @for pair in self.pairs_of(mutant) { li {
                    span class={ "chip " (class(pair.outcome)) } { (pair.outcome) }
                    code.id { (Line(&pair.check)) }
                    @if let Some(verdict) = pair.verdict { span.aside { "its verdict: " (verdict) } }
                    @if pair.outcome == Outcome::KilledByOther { span.aside { "by " (Line(&pair.by.join(", "))) } }
                    @if !pair.reason.is_empty() { span.aside { (Line(&pair.reason)) } }
                } } }
            }
        }
    }

    fn vacuous(&self) -> Markup {
        let lists = [
            ("Checks that kill no mutant", self.proof.vacuous.iter().collect::<Vec<_>>()),
            (
                "Checks that do not pass without a mutant, so they prove nothing",
                self.proof.unsound.iter().map(|one| &one.check).collect(),
            ),
        ];
        html! {
            @for (title, ids) in lists { @if !ids.is_empty() {
                details {
                    summary { (title) " (" (ids.len()) ")" }
                    ul.entries { @for id in ids { li { code { (Line(id)) } } } }
                }
            } }
        }
    }

    fn fairness(&self) -> Markup {
        html! {
            @if !self.proof.fairness.is_empty() {
                h3 { "Neutral variations" }
                ul.entries { @for neutral in &self.proof.fairness { li {
                    @let count = neutral.differences.len();
                    span class=(if count == 0 { "v-pass" } else { "v-fail" }) {
                        (count) " of " (neutral.compared) " " (plural(usize::try_from(neutral.compared).unwrap_or(usize::MAX), "verdict")) " changed"
                    }
                    " by a runtime that " (Line(&neutral.description))
                    @for difference in &neutral.differences {
                        div.brief {
                            code { (Line(&difference.check)) }
                            span { (difference.alone) " alone, " (difference.behind) " with it" }
                            span.aside { (Line(&difference.reason)) }
                        }
                    }
                } } }
            }
        }
    }
}

/// A cell of the matrix; the words for those who do not see the colour are the numbers.
fn kills(cell: Cell) -> Markup {
    let colour = match cell {
        Cell { tried: 0, .. } => "none",
        Cell { survived: 1.., .. } => "hole",
        Cell { killed, tried, .. } if killed == tried => "full",
        Cell { .. } => "part",
    };
    html! { td.number.kill.(colour) { @if cell.tried > 0 { (cell.killed) "/" (cell.tried) } } }
}

/// The class that gives an outcome its colour.
fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Killed => "v-pass",
        Outcome::KilledByOther => "v-warn",
        Outcome::Survived => "v-fail",
        Outcome::Error => "v-error",
        Outcome::NotApplicable => "v-skip",
    }
}
