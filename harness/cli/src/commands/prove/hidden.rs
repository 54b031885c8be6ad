//! Mutants that make no difference, since the runtime itself has the same fault. A runtime that ignores a member passes the checks
//! of its default, and dropping that member changes nothing; another check of the member fails on such a runtime anyway.

use std::collections::BTreeSet;

use plimsoll_engine::check::Check;
use plimsoll_reports::model::proof::{Explanation, Outcome, Pair, section_of};
use plimsoll_suites::mutants::Mutant;

/// Why mutants survive whose members this runtime gets wrong. `red` are the checks that fail or warn on it without any mutant.
pub fn explanations(mutants: &[Mutant<'_>], red: &[&Check]) -> Vec<Explanation> {
    mutants.iter().filter_map(|mutant| explanation(mutant, red)).collect()
}

fn explanation(mutant: &Mutant<'_>, red: &[&Check]) -> Option<Explanation> {
    let members = mutant.fault.at_exec().members();
    let sections: BTreeSet<&str> =
        mutant.declared_by.iter().chain(&mutant.shown_by).map(|check| section_of(&check.id)).collect();
    let touches = |check: &Check| {
        let mut own = check.proves().iter().flat_map(|fault| fault.at_exec().members());
        sections.contains(section_of(&check.id)) && own.any(|own| members.iter().any(|member| is_of(own, member)))
    };
    let deviation = red.iter().find(|check| touches(check))?;
    let reason = format!("the runtime itself gets this member wrong: {} fails without the mutant", deviation.id);
    Some(Explanation { mutant: mutant.fault.to_string(), reason })
}

/// Whether this is the member that a mutant changes, or one right in it.
fn is_of(own: &str, member: &str) -> bool {
    own == member || own.rsplit_once('/').is_some_and(|(parent, _)| parent == member)
}

/// Whether nothing that this check is there for can be seen on this runtime.
pub fn hides_all(hidden: &[Explanation], check: &Check, pairs: &[Pair]) -> bool {
    let is_hidden = |pair: &Pair| hidden.iter().any(|known| known.mutant == pair.mutant);
    let mut own = pairs.iter().filter(|pair| pair.check == check.id && pair.outcome == Outcome::Survived).peekable();
    own.peek().is_some() && own.all(is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deviation_is_of_the_member_that_a_mutant_changes() {
        assert!(is_of("/linux/personality", "/linux/personality"));
        assert!(is_of("/linux/personality/domain", "/linux/personality"));
        assert!(!is_of("/linux/resources", "/linux/resources/memory/useHierarchy"));
        assert!(!is_of("/linux/resources/cpu/burst", "/linux/resources"));
        assert!(!is_of("/mounts/60", "/mounts/6"));
    }

    #[test]
    fn only_a_runtime_that_is_wrong_by_itself_hides_a_mutant() {
        let whole = plimsoll_suites::all();
        let checks: Vec<&Check> = whole.iter().filter(|check| check.id.starts_with("linux.personality")).collect();
        let sound: Vec<&Check> = checks.iter().copied().filter(|check| check.id == "linux.personality/linux").collect();
        let mutants = plimsoll_suites::mutants::of(&sound);
        let red: Vec<&Check> = checks.iter().copied().filter(|check| check.id == "linux.personality/linux32").collect();
        assert!(explanations(&mutants, &[]).is_empty());
        assert_eq!(explanations(&mutants, &red).len(), mutants.len());
    }
}
