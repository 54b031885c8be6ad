//! Selects checks.

use std::str::FromStr;

use globset::{Glob, GlobMatcher};
use plimsoll_engine::check::Check;
use plimsoll_reports::ids::Ids;
use plimsoll_suites::{circumstances, renamed};
use sha2::{Digest, Sha256};

use crate::shared::failure::Failure;

/// One filter, taken apart.
enum Filter {
    Id(GlobMatcher),
    Clause(GlobMatcher),
    Section(String),
    Level(String),
    Axis(String),
}

impl Filter {
    fn parse(text: &str) -> Result<Self, Failure> {
        Ok(match text.split_once('=') {
            Some(("clause", glob)) => Self::Clause(matcher(glob)?),
            Some(("section", name)) => Self::Section(name.to_owned()),
            Some(("level", name)) => Self::Level(name.to_uppercase()),
            Some(("axis", name)) => Self::Axis(name.to_lowercase()),
            Some((other, _)) => {
                let known = "clause=, section=, level=, axis= or a glob of ids";
                return Err(Failure::Usage(format!("unknown filter `{other}=`; use {known}")));
            }
            None => Self::Id(matcher(text)?),
        })
    }

    fn takes(&self, check: &Check) -> bool {
        match self {
            Self::Id(glob) => means(glob, &check.id),
            Self::Clause(glob) => check.clauses.iter().any(|clause| means(glob, &clause.id)),
            Self::Section(name) => check.section() == name,
            Self::Level(name) => check.clauses.iter().any(|clause| clause.level == *name),
            Self::Axis(name) => check.axis().as_str() == name,
        }
    }
}

/// Whether a glob means a check or a clause, by its id or by one that it had in an earlier version.
fn means(glob: &GlobMatcher, id: &str) -> bool {
    Ids::of(id, renamed::former).are_meant_by(glob)
}

fn matcher(glob: &str) -> Result<GlobMatcher, Failure> {
    let glob = Glob::new(glob).map_err(|why| Failure::Usage(format!("filter `{glob}` is no glob: {}", why.kind())))?;
    Ok(glob.compile_matcher())
}

/// The checks that any of the filters takes; all when there are none.
pub fn select(checks: Vec<Check>, filters: &[String]) -> Result<Vec<Check>, Failure> {
    if filters.is_empty() {
        return Ok(checks);
    }
    let parsed = filters.iter().map(|text| Filter::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let chosen: Vec<Check> =
        checks.into_iter().filter(|check| parsed.iter().any(|filter| filter.takes(check))).collect();
    if chosen.is_empty() {
        let filters = filters.join(" ");
        return Err(Failure::Nothing(format!("no check matches {filters}; {}", hint(&filters))));
    }
    Ok(chosen)
}

/// What may help where nothing matches.
fn hint(filters: &str) -> String {
    let named = filters.rsplit_once('@').and_then(|(_, name)| circumstances::named(name));
    named.map_or_else(
        || "`plimsoll run --list` lists all".to_owned(),
        |circumstance| format!("`--under {}` judges checks under that circumstance", circumstance.name),
    )
}

/// The first check of each subject, the subject being the part of an id before the slash. The checks come sorted.
pub fn first_of_each_subject(mut checks: Vec<Check>) -> Vec<Check> {
    checks.dedup_by(|a, b| a.id.split('/').next() == b.id.split('/').next());
    checks
}

/// A part of the checks, by a hash of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which, from 1.
    pub part: u32,
    /// Of how many.
    pub of: u32,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        let parsed = text.strip_prefix("hash:").and_then(|share| share.split_once('/'));
        let numbers = parsed.and_then(|(part, of)| Some(Self { part: number(part)?, of: number(of)? }));
        let part = numbers.filter(|part| part.part <= part.of);
        part.ok_or_else(|| "write hash:M/N, the Mth of N parts, such as hash:2/8".to_owned())
    }
}

impl Part {
    /// Whether the check of this id is in it. The digest does not depend on machine, version or the other checks.
    #[must_use]
    pub fn takes(self, id: &str) -> bool {
        let digest = Sha256::digest(id);
        let number = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.of) == u64::from(self.part - 1)
    }
}

/// The check of exactly this id, or that had it in an earlier version.
pub fn one(checks: Vec<Check>, id: &str) -> Result<Check, Failure> {
    let id = renamed::current(id);
    let near: Vec<String> = checks.iter().map(|check| check.id.clone()).filter(|known| known.contains(id)).collect();
    checks.into_iter().find(|check| check.id == id).ok_or_else(|| {
        let hint = match near.as_slice() {
            [] => "`plimsoll run --list` lists all".to_owned(),
            some => format!("did you mean {}?", some.iter().take(3).cloned().collect::<Vec<_>>().join(", ")),
        };
        Failure::Usage(format!("there is no check {id}; {hint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_in_one_part_and_stays_there() {
        let part = |text: &str| text.parse::<Part>().unwrap();
        for check in plimsoll_suites::all() {
            let parts = (1..=8).filter(|n| part(&format!("hash:{n}/8")).takes(&check.id));
            assert_eq!(parts.count(), 1, "{}", check.id);
        }
        // Changing this would send checks to other machines than before.
        let of = (1..=8).find(|n| part(&format!("hash:{n}/8")).takes("lifecycle.simplest-container"));
        assert_eq!(of, Some(8));
    }

    #[test]
    fn only_a_share_is_a_part() {
        for wrong in ["2/8", "hash:0/8", "hash:9/8", "hash:1/0", "hash:x/2", "slice:1/2"] {
            assert!(wrong.parse::<Part>().unwrap_err().contains("hash:2/8"), "{wrong}");
        }
    }
}
