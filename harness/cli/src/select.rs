//! Which checks a user means.

use globset::{Glob, GlobMatcher};
use plimsoll_engine::check::Check;

use crate::failure::Failure;

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
                let known = "clause=, section=, level=, axis= or a glob on ids";
                return Err(Failure::Usage(format!("unknown filter `{other}=`; there are {known}")));
            }
            None => Self::Id(matcher(text)?),
        })
    }

    fn takes(&self, check: &Check) -> bool {
        match self {
            Self::Id(glob) => glob.is_match(&check.id),
            Self::Clause(glob) => check.clauses.iter().any(|clause| glob.is_match(&clause.id)),
            Self::Section(name) => check.section() == name,
            Self::Level(name) => check.clauses.iter().any(|clause| clause.level == *name),
            Self::Axis(name) => check.axis().as_str() == name,
        }
    }
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
        return Err(Failure::Nothing(format!("no check matches {filters}; `plimsoll run --list` shows all")));
    }
    Ok(chosen)
}

/// The first check of each subject, the subject being the part of an id before the slash. The checks come sorted.
pub fn first_of_each_subject(mut checks: Vec<Check>) -> Vec<Check> {
    checks.dedup_by(|a, b| a.id.split('/').next() == b.id.split('/').next());
    checks
}

/// The check of exactly this id.
pub fn one(checks: Vec<Check>, id: &str) -> Result<Check, Failure> {
    let near: Vec<String> = checks.iter().map(|check| check.id.clone()).filter(|known| known.contains(id)).collect();
    checks.into_iter().find(|check| check.id == id).ok_or_else(|| {
        let hint = match near.as_slice() {
            [] => "`plimsoll run --list` shows all".to_owned(),
            some => format!("did you mean {}?", some.iter().take(3).cloned().collect::<Vec<_>>().join(", ")),
        };
        Failure::Usage(format!("no check is called {id}; {hint}"))
    })
}
