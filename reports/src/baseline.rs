//! The mutants that a proof killed, as a sorted list to commit, one per line, so that a diff can be reviewed.

use std::collections::BTreeSet;
use std::path::Path;

use plimsoll_foreign::read;

use crate::model::proof::{Outcome, Proof};

/// The list of one proof.
pub fn render(proof: &Proof) -> String {
    killed(proof).into_iter().map(|mutant| format!("{mutant}\n")).collect()
}

/// Reads such a list.
///
/// # Errors
/// When the file cannot be read or holds a proof; the text says what to do.
pub fn read(path: &Path) -> Result<BTreeSet<String>, String> {
    let text = read::given(path, read::SETTINGS).map_err(|why| format!("{}: {why}", path.display()))?;
    if text.trim_start().starts_with('{') {
        let path = path.display();
        return Err(format!("{path}: JSON; a list comes from `plimsoll report {path} --format killed=FILE`"));
    }
    Ok(text.lines().map(str::to_owned).collect())
}

/// What a proof and an older list say differently of the same mutants.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Killed then, and surviving now.
    pub lost: Vec<String>,
    /// Killed then, and not tried now: the check that declared it is gone, or does not pass on this host.
    pub untried: Vec<String>,
    /// Killed now, and not in the list.
    pub new: Vec<String>,
}

/// Holds a proof to an older list.
#[must_use]
pub fn compare(before: &BTreeSet<String>, proof: &Proof) -> Difference {
    let killed = killed(proof);
    let survived: BTreeSet<&str> = with(proof, |fate| *fate == Outcome::Survived);
    let gone = before.iter().map(String::as_str).filter(|mutant| !killed.contains(mutant));
    let (lost, untried): (Vec<&str>, Vec<&str>) = gone.partition(|mutant| survived.contains(mutant));
    let new = killed.iter().filter(|mutant| !before.contains(**mutant));
    let owned = |found: Vec<&str>| found.into_iter().map(str::to_owned).collect();
    Difference { lost: owned(lost), untried: owned(untried), new: owned(new.copied().collect()) }
}

fn killed(proof: &Proof) -> BTreeSet<&str> {
    with(proof, |fate| matches!(fate, Outcome::Killed | Outcome::KilledByOther))
}

fn with(proof: &Proof, has: impl Fn(&Outcome) -> bool) -> BTreeSet<&str> {
    proof.fates().into_iter().filter(|(_, fate)| has(fate)).map(|(mutant, _)| mutant).collect()
}
