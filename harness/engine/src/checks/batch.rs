//! Cases that share a container. A case is a few edits of the base, and most cases touch members that no other case of
//! the company looks at, so one container can carry several of them. What passes in company is settled; whatever else
//! happens there settles nothing, and the case is tried again alone.

use plimsoll_fixtures::{Edit, Recipe};

use crate::checks::check::{Body, Case, Check};

/// The largest company. A container that cannot be made costs all of them a second one.
const MOST: usize = 8;

/// Members that decide what every question inside is answered with: cases must agree on them to share a container.
const FELT_BY_ALL: [&str; 10] = [
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

/// The checks in companies, each of one at least, in the order of their first members.
#[must_use]
pub fn together<'c>(checks: &[&'c Check]) -> Vec<Vec<&'c Check>> {
    let mut companies: Vec<Company<'c>> = Vec::new();
    for check in checks {
        let guest = Guest::of(check);
        match companies.iter_mut().find(|company| company.welcomes(&guest)) {
            Some(company) => company.0.push(guest),
            None => companies.push(Company(vec![guest])),
        }
    }
    let checks = |company: Company<'c>| company.0.into_iter().map(|guest| guest.check).collect();
    companies.into_iter().map(checks).collect()
}

/// What several cases ask for at once.
#[must_use]
pub fn united(cases: &[&Case]) -> Recipe {
    let mut all: Vec<Edit> = Vec::new();
    let mut seen: Vec<Vec<Edit>> = Vec::new();
    for case in cases {
        let edits = recipe(case).edits;
        if !seen.contains(&edits) {
            let own = edits.iter().filter(|edit| seen.is_empty() || !is_felt_by_all(edit));
            all.extend(own.cloned());
            seen.push(edits);
        }
    }
    Recipe { edits: all }
}

struct Company<'c>(Vec<Guest<'c>>);

/// A check and what it does to a container.
struct Guest<'c> {
    check: &'c Check,
    /// Nothing for a story, which wants its containers for itself.
    edits: Option<Vec<Edit>>,
    places: Vec<String>,
}

impl<'c> Guest<'c> {
    fn of(check: &'c Check) -> Self {
        let Body::Case(case) = check.body else { return Self { check, edits: None, places: Vec::new() } };
        let edits = recipe(case).edits;
        let changed = edits.iter().filter_map(place).map(str::to_owned);
        // A case that leaves a member unset has no edit of it. Its faults tell what it looks at.
        let seen = case.proves.iter().flat_map(|fault| fault.members()).map(str::to_owned);
        let places = changed.chain(seen).collect();
        let raw = edits.iter().any(|edit| matches!(edit, Edit::Raw(_)));
        Self { check, edits: (!raw).then_some(edits), places }
    }

    fn agrees_with(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (&self.edits, &other.edits) else { return false };
        let meet = || self.places.iter().any(|place| other.places.iter().any(|theirs| overlap(place, theirs)));
        own == others || (felt_by_all(own).eq(felt_by_all(others)) && !meet())
    }
}

impl Company<'_> {
    fn welcomes(&self, guest: &Guest<'_>) -> bool {
        self.0.len() < MOST && self.0.iter().all(|member| member.agrees_with(guest))
    }
}

/// What one case asks for.
#[must_use]
pub fn recipe(case: &Case) -> Recipe {
    let mut recipe = Recipe::default();
    (case.edits)(&mut recipe);
    recipe
}

fn felt_by_all(edits: &[Edit]) -> impl Iterator<Item = &Edit> {
    edits.iter().filter(|edit| is_felt_by_all(edit))
}

fn is_felt_by_all(edit: &Edit) -> bool {
    place(edit).is_some_and(|place| FELT_BY_ALL.iter().any(|member| overlap(place, member)))
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
