//! The clauses that a verdict cites: first those that the findings break, whatever the check is about.

use std::sync::Arc;

use plimsoll_reports::model::{Clause, Finding};

use crate::checks::check::BaseClauses;
use crate::runtime::judgement::{Judgement, is_failure_of};
use crate::runtime::profile::Op;

/// What was found that a check need not be about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BrokenClauses {
    /// An operation that should have worked, and did not.
    refused: Option<Op>,
    /// An operation that did not come back.
    hung: Option<Op>,
    /// A call that failed has changed something.
    side_effects: bool,
    /// The container has left something behind.
    pub(crate) left: bool,
    /// Nothing else was found.
    alone: bool,
}

impl BrokenClauses {
    /// Of what was judged.
    pub(crate) fn of(judgement: &Judgement) -> Self {
        Self { side_effects: judgement.has_side_effects(), alone: judgement.has_side_effects_only(), ..Self::default() }
    }

    /// With an operation that did not come back, which is why nothing else was found.
    pub(crate) fn with_hang(self, op: Op) -> Self {
        Self { hung: Some(op), alone: true, ..self }
    }

    /// With the finding that ended the scenario.
    pub(crate) fn with_failure(self, finding: &Finding) -> Self {
        let refused = [Op::Create, Op::Start, Op::Delete].into_iter().find(|op| is_failure_of(finding, *op));
        Self { refused, alone: self.alone && refused.is_some(), ..self }
    }

    /// The clauses of a check, and what it rests on besides where that is broken: in front where nothing else is.
    pub(crate) fn clauses(&self, cited: &[Arc<Clause>], base_clauses: &BaseClauses) -> Vec<Arc<Clause>> {
        let of = |op| match op {
            Op::Create => Some(&base_clauses.created),
            Op::Start => Some(&base_clauses.started),
            Op::Delete => Some(&base_clauses.removed),
            _ => None,
        };
        // Of a container that was not made, a description of one says nothing, a duty of another operation neither; a duty to
        // support something does.
        let operations = [&base_clauses.created, &base_clauses.started, &base_clauses.removed];
        let is_beside =
            |first: &Arc<Clause>| first.level == "DESCRIBED" || operations.iter().any(|op| op.id == first.id);
        let beside = cited.first().is_some_and(is_beside);
        let broken = [
            (self.hung.and_then(of), true),
            (self.refused.and_then(of), beside),
            (self.side_effects.then_some(&base_clauses.undone), true),
            (Some(&base_clauses.removed).filter(|_| self.left && !self.side_effects), true),
        ];
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for (clause, leads) in broken.into_iter().filter_map(|(clause, leads)| Some((clause?, leads))) {
            if leads && self.alone { first.push(Arc::clone(clause)) } else { last.push(Arc::clone(clause)) }
        }
        let mut all: Vec<Arc<Clause>> = Vec::new();
        for clause in first.into_iter().chain(cited.iter().cloned()).chain(last) {
            if all.iter().all(|known| known.id != clause.id) {
                all.push(clause);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_told_with_the_clause_that_it_breaks() {
        let clause = |id: &str, level: &str| {
            let [id, level, text, link, since] = [id, level, "", "", "v1.0.0"].map(str::to_owned);
            Arc::new(Clause { id, level, text, link, since })
        };
        let [created, started, removed, undone] =
            ["created", "started", "removed", "undone"].map(|id| clause(id, "MUST"));
        let base_clauses = Arc::new(BaseClauses { created, started, removed, undone });
        let told = |broken: &BrokenClauses, level| -> Vec<String> {
            let cited = [clause("own", level)];
            broken.clauses(&cited, &base_clauses).into_iter().map(|clause| clause.id.clone()).collect()
        };
        let refused = BrokenClauses { refused: Some(Op::Create), alone: true, ..BrokenClauses::default() };
        assert_eq!(told(&refused, "DESCRIBED"), ["created", "own"]);
        assert_eq!(told(&refused, "MUST"), ["own", "created"]);
        let side_effects = BrokenClauses { side_effects: true, left: true, alone: true, ..BrokenClauses::default() };
        assert_eq!(told(&side_effects, "MUST"), ["undone", "own"]);
        assert_eq!(told(&BrokenClauses { alone: false, ..side_effects }, "MUST"), ["own", "undone"]);
        assert_eq!(told(&BrokenClauses::default().with_hang(Op::Start), "MUST"), ["started", "own"]);
        assert_eq!(told(&BrokenClauses::default(), "MUST"), ["own"]);
        let all =
            [Arc::clone(&base_clauses.created), Arc::clone(&base_clauses.started), Arc::clone(&base_clauses.removed)];
        let of_delete = BrokenClauses { refused: Some(Op::Delete), ..refused };
        let ids = of_delete.clauses(&all, &base_clauses).into_iter().map(|clause| clause.id.clone());
        assert_eq!(ids.collect::<Vec<_>>(), ["removed", "created", "started"]);
    }
}
