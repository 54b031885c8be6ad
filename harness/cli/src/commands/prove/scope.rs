//! What a proof of some of the checks says about a mutant. That it survives only counts if all checks that could catch it were
//! selected.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_engine::check::Check;
use plimsoll_reports::model::proof::{Outcome, Pair};
use plimsoll_suites::mutants::{self, Mutant};

/// The selected checks, and the whole suite.
pub struct Scope {
    /// For each mutant of the whole suite that some check declares, and none that is selected.
    of_others: BTreeSet<String>,
    /// For each mutant, how many checks could see it that are not selected.
    left_out: BTreeMap<String, usize>,
}

impl Scope {
    /// Holds the selected checks against all that there are.
    pub fn of(selected: &[&Check], whole: &[Check]) -> Self {
        let mut scope = Self { of_others: BTreeSet::new(), left_out: BTreeMap::new() };
        if selected.len() == whole.len() {
            return scope;
        }
        let selected: BTreeSet<&str> = selected.iter().map(|check| check.id.as_str()).collect();
        let is_left_out = |check: &&&Check| !selected.contains(check.id.as_str());
        for mutant in mutants::of(&whole.iter().collect::<Vec<_>>()) {
            let id = mutant.fault.to_string();
            if !mutant.declared_by.is_empty() && mutant.declared_by.iter().all(|check| is_left_out(&check)) {
                scope.of_others.insert(id.clone());
            }
            let could = mutant.declared_by.iter().chain(&mutant.shown_by);
            scope.left_out.insert(id, could.filter(is_left_out).count());
        }
        scope
    }

    /// Whether to try a mutant. One that only others are there for is theirs.
    pub fn takes(&self, mutant: &Mutant<'_>) -> bool {
        !self.of_others.contains(&mutant.fault.to_string())
    }

    /// Takes out what nothing was settled of: nobody saw it, and somebody who is left out could. Returned are the pairs.
    pub fn unsettled(&self, mutants: &mut Vec<Mutant<'_>>, pairs: &mut Vec<Pair>) -> Vec<Pair> {
        let came = |id: &str, outcome| pairs.iter().any(|pair| pair.mutant == id && pair.outcome == outcome);
        let survived = |id: &str| came(id, Outcome::Survived) && !came(id, Outcome::Killed);
        let is_open = |id: &str| self.left_out.get(id).is_some_and(|count| *count > 0) && survived(id);
        let open: BTreeSet<String> = mutants.iter().map(|it| it.fault.to_string()).filter(|id| is_open(id)).collect();
        mutants.retain(|mutant| !open.contains(&mutant.fault.to_string()));
        pairs.extract_if(.., |pair| open.contains(&pair.mutant)).collect()
    }
}

/// What a user should know of it: a check that does not see what it is there for is worth a look in any case.
pub fn words(unsettled: &[Pair], checks: &[&Check]) -> Vec<String> {
    let declares = |pair: &&Pair| {
        let check = checks.iter().find(|check| check.id == pair.check);
        check.is_some_and(|check| check.proves().iter().any(|fault| fault.to_string() == pair.mutant))
    };
    let survived = || unsettled.iter().filter(|pair| pair.outcome == Outcome::Survived);
    let mut words: Vec<String> = survived()
        .filter(declares)
        .map(|pair| {
            format!("plimsoll: warning: {} does not catch its mutant: a runtime that {}", pair.check, pair.mutant)
        })
        .collect();
    let mutants: BTreeSet<&str> = survived().map(|pair| pair.mutant.as_str()).collect();
    if !mutants.is_empty() {
        let count = mutants.len();
        words.push(format!(
            "plimsoll: {count} more mutants survived the selected checks; they are not counted, since other checks could catch them"
        ));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(selects: impl Fn(&Check) -> bool) -> (Vec<Check>, Scope) {
        let whole = plimsoll_suites::all();
        let selected: Vec<Check> = whole.iter().filter(|check| selects(check)).cloned().collect();
        let scope = Scope::of(&selected.iter().collect::<Vec<_>>(), &whole);
        (selected, scope)
    }

    fn survivors(mutants: &[Mutant<'_>]) -> Vec<Pair> {
        let pair = |mutant: &Mutant<'_>| Pair {
            check: String::new(),
            mutant: mutant.fault.to_string(),
            outcome: Outcome::Survived,
            verdict: None,
            by: Vec::new(),
            reason: String::new(),
        };
        mutants.iter().map(pair).collect()
    }

    #[test]
    fn a_part_of_the_suite_is_not_blamed_for_what_others_see() {
        let (selected, scope) = scope(|check| check.id.starts_with("process.rlimits"));
        let mut mutants = mutants::of(&selected.iter().collect::<Vec<_>>());
        mutants.retain(|mutant| scope.takes(mutant));
        let names = |mutants: &[Mutant<'_>]| -> Vec<String> { mutants.iter().map(|it| it.fault.to_string()).collect() };
        let mut pairs = survivors(&mutants);
        let open = scope.unsettled(&mut mutants, &mut pairs);
        let left = names(&mutants);
        assert!(
            left.iter().any(|name| name.contains("/process/rlimits")),
            "of these, all that could see them are there"
        );
        assert!(open.iter().any(|pair| pair.mutant.contains(" /process/user/")), "others could see that");
        assert!(open.iter().all(|pair| !left.contains(&pair.mutant)));
    }

    #[test]
    fn the_whole_suite_settles_all() {
        let (selected, scope) = scope(|_| true);
        let mut mutants = mutants::of(&selected.iter().collect::<Vec<_>>());
        let mut pairs = survivors(&mutants);
        assert!(mutants.iter().all(|mutant| scope.takes(mutant)));
        assert!(scope.unsettled(&mut mutants, &mut pairs).is_empty());
    }
}
