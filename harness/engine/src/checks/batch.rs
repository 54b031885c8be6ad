//! Cases that share a container. A case is a few edits of the base configuration, and most cases edit members that no other case of
//! the batch looks at, so one container can have the edits of several. A case that passes in a batch has passed; any other case runs
//! again alone.

use plimsoll_fixtures::{Edit, Recipe};

use crate::checks::check::{Body, Case, Check};
use crate::checks::circumstance::Program;

/// The largest batch. A container that cannot be made costs all of them a second one.
const MAX_SIZE: usize = 8;

/// Members that decide what every question inside is answered with: cases must agree on them to share a container.
const GLOBAL_MEMBERS: [&str; 10] = [
    "/linux/gidMappings",
    "/linux/namespaces",
    "/linux/uidMappings",
    "/ociVersion",
    "/process/args",
    "/process/capabilities",
    "/process/terminal",
    "/process/user/gid",
    "/process/user/uid",
    "/root",
];

/// The checks in batches, each of one at least, in the order of their first members.
#[must_use]
pub fn group<'c>(checks: &[&'c Check]) -> Vec<Vec<&'c Check>> {
    let mut batches: Vec<Batch<'c>> = Vec::new();
    for check in checks {
        let candidate = Candidate::of(check);
        match batches.iter_mut().find(|batch| batch.accepts(&candidate)) {
            Some(batch) => batch.0.push(candidate),
            None => batches.push(Batch(vec![candidate])),
        }
    }
    let checks = |batch: Batch<'c>| batch.0.into_iter().map(|candidate| candidate.check).collect();
    batches.into_iter().map(checks).collect()
}

/// What several cases ask for at once, which are under the same circumstance.
#[must_use]
pub fn combined(checks: &[&Check]) -> Recipe {
    let Some(first) = checks.first() else { return Recipe::default() };
    let mut all = Recipe::default();
    (first.under.edits)(&mut all);
    let mut seen: Vec<Vec<Edit>> = Vec::new();
    for check in checks {
        let Body::Case(case) = check.body else { continue };
        let edits = recipe(case).edits;
        if !seen.contains(&edits) {
            let own = edits.iter().filter(|edit| seen.is_empty() || !is_global(edit));
            all.edits.extend(own.cloned());
            seen.push(edits);
        }
    }
    (first.under.finish)(all)
}

struct Batch<'c>(Vec<Candidate<'c>>);

/// A check and what it does to a container.
struct Candidate<'c> {
    check: &'c Check,
    /// None for a scenario, which needs its own containers.
    edits: Option<Vec<Edit>>,
    places: Vec<String>,
}

impl<'c> Candidate<'c> {
    fn of(check: &'c Check) -> Self {
        let none = Self { check, edits: None, places: Vec::new() };
        let (Body::Case(case), Some(recipe)) = (check.body, check.recipe()) else { return none };
        // Programs that are added have containers of their own.
        if check.under.program == Program::Added {
            return none;
        }
        let edits = recipe.edits;
        let changed = edits.iter().filter_map(place).map(str::to_owned);
        // A case that leaves a member unset has no edit of it. Its faults say which members it looks at.
        let seen = case.proves.iter().flat_map(|fault| fault.members()).map(str::to_owned);
        let places = changed.chain(seen).collect();
        let raw = edits.iter().any(|edit| matches!(edit, Edit::Raw(_)));
        Self { check, edits: (!raw).then_some(edits), places }
    }

    fn is_compatible_with(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (&self.edits, &other.edits) else { return false };
        if self.check.under.name != other.check.under.name {
            return false;
        }
        let meet = || self.places.iter().any(|place| other.places.iter().any(|theirs| overlap(place, theirs)));
        own == others || (global_edits(own).eq(global_edits(others)) && !meet())
    }
}

impl Batch<'_> {
    fn accepts(&self, candidate: &Candidate<'_>) -> bool {
        self.0.len() < MAX_SIZE && self.0.iter().all(|member| member.is_compatible_with(candidate))
    }
}

/// What one case asks for.
#[must_use]
pub fn recipe(case: &Case) -> Recipe {
    let mut recipe = Recipe::default();
    (case.edits)(&mut recipe);
    recipe
}

fn global_edits(edits: &[Edit]) -> impl Iterator<Item = &Edit> {
    edits.iter().filter(|edit| is_global(edit))
}

fn is_global(edit: &Edit) -> bool {
    place(edit).is_some_and(|place| GLOBAL_MEMBERS.iter().any(|member| overlap(place, member)))
}

/// The member or the file that an edit changes.
fn place(edit: &Edit) -> Option<&str> {
    match edit {
        Edit::Set(pointer, _) | Edit::Push(pointer, _) => Some(pointer),
        Edit::Remove(pointer) => Some(array_of(pointer).unwrap_or(pointer)),
        other => other.path(),
    }
}

/// The array that loses an element, and in which others change their number.
fn array_of(pointer: &str) -> Option<&str> {
    let (array, index) = pointer.rsplit_once('/')?;
    index.parse::<usize>().is_ok().then_some(array)
}

/// Whether one member or file is the other or is within it.
#[must_use]
pub fn overlap(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(one, other) || within(other, one)
}
