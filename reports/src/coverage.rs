//! Which clauses of the specification are checked, and by which checks: the matrix of `plimsoll clauses`. It is made from the checks, not
//! from a run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::Clause;

/// Every clause of one release of the specification.
#[derive(Clone, Debug, Serialize)]
pub struct Coverage {
    /// The release that the list was made from, `v1.3.0`.
    pub release: String,
    /// The clauses, in the order of the specification.
    pub clauses: Vec<Covered>,
    /// The checks that only warn although a clause is mandatory, sorted by name.
    pub advisory: Vec<Advised>,
    /// What callers of runtimes rely on where the specification is silent.
    pub practice: Vec<Covered>,
}

/// A check whose breach is only a warning.
#[derive(Clone, Debug, Serialize)]
pub struct Advised {
    /// Its name.
    pub check: String,
    /// Why: where the specification contradicts itself, or leaves room.
    pub why: String,
}

/// A clause and what looks at it.
#[derive(Clone, Debug, Serialize)]
pub struct Covered {
    /// What it says, and where.
    #[serde(flatten)]
    pub clause: Clause,
    /// Whom it binds: `runtime`, `config author`, …
    pub subject: String,
    /// How it can be tested: `host`, `inside`, `cli`, `static` or `no`.
    pub testable: String,
    /// The ids of the checks that cite it, sorted.
    pub checks: Vec<String>,
    /// Why nothing checks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchecked: Option<String>,
}

/// How many clauses of a group are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All clauses of the group.
    pub clauses: usize,
    /// Those that a check cites.
    pub checked: usize,
    /// Those that have to be checked; see [`Covered::is_due`].
    pub due: usize,
    /// Of these, those that a check cites.
    pub due_checked: usize,
    /// Of these, those that nothing checks, for a written reason.
    pub due_reasoned: usize,
}

impl Count {
    /// Those that have to be checked, are not, and have no reason.
    #[must_use]
    pub fn open(self) -> usize {
        self.due - self.due_checked - self.due_reasoned
    }
}

impl Covered {
    /// Whether it has to be checked: it binds the runtime, says MUST, MUST NOT, REQUIRED, SHOULD or SHOULD NOT, and can be
    /// tested at all.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let binding = matches!(self.clause.level.as_str(), "MUST" | "MUST NOT" | "REQUIRED" | "SHOULD" | "SHOULD NOT");
        binding && self.subject == "runtime" && self.testable != "no"
    }

    /// Whether it has to be checked, nothing does, and no reason is written down.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_due() && self.checks.is_empty() && self.unchecked.is_none()
    }

    /// The file of the specification that it stands in, `config-linux.md`.
    #[must_use]
    pub fn section(&self) -> &str {
        let file = self.clause.link.split('#').next().unwrap_or_default();
        file.rsplit('/').next().unwrap_or_default()
    }
}

impl Coverage {
    /// The counts of each group, the group of a clause being what `of` says.
    pub fn by<'a>(&'a self, of: impl Fn(&'a Covered) -> &'a str) -> BTreeMap<&'a str, Count> {
        let mut groups: BTreeMap<&str, Count> = BTreeMap::new();
        for clause in &self.clauses {
            groups.entry(of(clause)).or_default().add(clause);
        }
        groups
    }

    /// The counts of all clauses.
    #[must_use]
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        self.clauses.iter().for_each(|clause| total.add(clause));
        total
    }
}

impl Count {
    fn add(&mut self, clause: &Covered) {
        let checked = !clause.checks.is_empty();
        self.clauses += 1;
        self.checked += usize::from(checked);
        if clause.is_due() {
            self.due += 1;
            self.due_checked += usize::from(checked);
            self.due_reasoned += usize::from(!checked && clause.unchecked.is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(level: &str, checks: &[&str], unchecked: Option<&str>) -> Covered {
        Covered {
            clause: Clause {
                id: "a.b".into(),
                level: level.into(),
                text: "Says so.".into(),
                link: "https://example.com/blob/v1.3.0/config-linux.md#seccomp".into(),
                since: "v1.0.0".into(),
            },
            subject: "runtime".into(),
            testable: "host".into(),
            checks: checks.iter().map(|&check| check.to_owned()).collect(),
            unchecked: unchecked.map(str::to_owned),
        }
    }

    #[test]
    fn what_is_due_is_checked_reasoned_or_open() {
        let clauses = vec![
            clause("MUST", &["x.y"], None),
            clause("SHOULD NOT", &[], Some("because")),
            clause("REQUIRED", &[], None),
            clause("MAY", &[], None),
        ];
        let coverage = Coverage { release: "v1.3.0".into(), clauses, advisory: Vec::new(), practice: Vec::new() };
        let total = coverage.total();
        let expected = Count { clauses: 4, checked: 1, due: 3, due_checked: 1, due_reasoned: 1 };
        assert_eq!((total, total.open()), (expected, 1));
        assert_eq!(coverage.by(Covered::section)["config-linux.md"], total);
    }
}
