//! The lifecycle of `runtime.md` as a relation: the possible outcomes of a call in a phase, and the phases that follow. What the
//! specification leaves open is allowed either way, and a comment says why.

use std::collections::BTreeSet;

use plimsoll_engine::describe::Describe;

use super::step::{Call, Signal};

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Nothing has this id.
    Absent,
    Created,
    Running,
    /// Frozen, which is a state of the runtime's own (`runtime.state.status-custom-allowed`).
    Paused,
    /// Frozen, and to die of a signal when it is thawed.
    Doomed,
    Stopped,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Worked,
    Refused,
}

impl Describe for End {
    fn describe(&self) -> String {
        if *self == Worked { "succeeds" } else { "fails" }.to_owned()
    }
}

impl Describe for Phase {
    fn describe(&self) -> String {
        match self {
            Absent => "absent",
            Created => "created",
            Running => "running",
            Paused => "paused",
            Doomed => "paused, killed",
            Stopped => "stopped",
        }
        .to_owned()
    }
}

use End::{Refused, Worked};
use Phase::{Absent, Created, Doomed, Paused, Running, Stopped};

/// What a call may come to in a phase: each allowed end, with the phase after it.
pub(super) fn allowed(phase: Phase, call: Call) -> Vec<(End, Phase)> {
    match call {
        Call::Create => match phase {
            Absent => vec![(Worked, Created)],
            other => vec![(Refused, other)],
        },
        Call::Start => match phase {
            Created => vec![(Worked, Running)],
            other => vec![(Refused, other)],
        },
        Call::State => match phase {
            Absent => vec![(Refused, Absent)],
            other => vec![(Worked, other)],
        },
        Call::Kill(Signal::Kill) => match phase {
            Created | Running => vec![(Worked, Stopped)],
            // Nothing is said of frozen containers. On cgroup v1 the signal waits for the thaw, on v2 it does not, and a
            // runtime may thaw for it or refuse.
            Paused => vec![(Worked, Stopped), (Worked, Doomed), (Refused, Paused)],
            Doomed => vec![(Worked, Doomed), (Worked, Stopped), (Refused, Doomed)],
            other => vec![(Refused, other)],
        },
        Call::Kill(_) => match phase {
            // The program handles no signal, so the kernel spares it as the init process of its namespace.
            Running => vec![(Worked, Running)],
            other => vec![(Refused, other)],
        },
        Call::Delete => match phase {
            Stopped => vec![(Worked, Absent)],
            other => vec![(Refused, other)],
        },
        Call::DeleteForce => match phase {
            // An option that the specification does not know: like rm(1), some find nothing wrong with nothing there.
            Absent => vec![(Refused, Absent), (Worked, Absent)],
            _ => vec![(Worked, Absent)],
        },
        Call::Pause => match phase {
            // Whether freezing what is frozen is a mistake is not said, nor that a runtime can freeze at all.
            Running => vec![(Worked, Paused), (Refused, Running)],
            Paused | Doomed => vec![(Worked, phase), (Refused, phase)],
            other => vec![(Refused, other)],
        },
        Call::Resume => match phase {
            Paused => vec![(Worked, Running), (Refused, Paused)],
            Doomed => vec![(Worked, Stopped), (Refused, Doomed)],
            // As with pause: thawing what runs may be a mistake or none.
            Running => vec![(Worked, Running), (Refused, Running)],
            other => vec![(Refused, other)],
        },
        Call::Exec => match phase {
            // Not an operation of the specification: a runtime may be unable to.
            Running => vec![(Worked, Running), (Refused, Running)],
            Created => vec![(Worked, Created), (Refused, Created)],
            other => vec![(Refused, other)],
        },
        Call::Update => match phase {
            Absent => vec![(Refused, Absent)],
            // Not an operation of the specification; a stopped container has no limits.
            other => vec![(Worked, other), (Refused, other)],
        },
    }
}

/// What is known of a container: each phase that explains everything seen so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PossiblePhases(pub(super) BTreeSet<Phase>);

impl PossiblePhases {
    pub(super) fn absent() -> Self {
        Self(BTreeSet::from([Absent]))
    }

    pub(super) fn is_one_of(&self, phases: &[Phase]) -> bool {
        self.0.iter().all(|phase| phases.contains(phase))
    }

    /// What a signal ends that is thawed for it takes a moment to go, and may have gone by now.
    fn by_now(&self) -> Self {
        let mut phases = self.0.clone();
        if phases.contains(&Doomed) {
            phases.insert(Stopped);
        }
        Self(phases)
    }

    /// What is known after a call that ended so; nothing explains it when this is empty.
    pub(super) fn after(&self, call: Call, end: End) -> Self {
        let now = self.by_now();
        let next = now.0.iter().flat_map(|&phase| allowed(phase, call));
        Self(next.filter(|(allowed, _)| *allowed == end).map(|(_, phase)| phase).collect())
    }

    /// What is known after calls that were under way at the same time: some order of them explains what each came to. A
    /// call may also fail for no other reason than that another one was under way, which no clause forbids; and two that
    /// end a container may both say that they did, since it takes a moment to go.
    pub(super) fn after_at_once(&self, calls: &[(Call, End)]) -> Self {
        let mut phases = BTreeSet::new();
        for order in orders(calls.len()) {
            let after = order.iter().fold(self.clone(), |known, &at| {
                let (call, end) = calls[at];
                let mut next = known.after(call, end).0;
                let ends = |call: Call| matches!(call, Call::Kill(Signal::Kill) | Call::Delete | Call::DeleteForce);
                let both = calls.iter().filter(|(call, end)| ends(*call) && *end == Worked).count() > 1;
                if end == Refused || (ends(call) && both) {
                    next.extend(&known.0);
                }
                // A start whose process was killed under it failed half-way: like one whose hook failed, it may go on to
                // destroy the container.
                let killed = calls.iter().any(|(call, end)| ends(*call) && *end == Worked);
                if (call, end) == (Call::Start, Refused) && killed {
                    next.insert(Absent);
                }
                Self(next)
            });
            phases.extend(after.0);
        }
        Self(phases)
    }

    /// The phases that are possible if the process is alive, or is not.
    pub(super) fn where_process(&self, lives: bool) -> Self {
        let agrees = |phase: &&Phase| matches!(phase, Created | Running | Paused | Doomed) == lives;
        Self(self.by_now().0.iter().filter(agrees).copied().collect())
    }

    /// The phases that agree with what the runtime says; `None` is that it knows no such container. A status that the
    /// specification does not know says no more than that there is a process.
    pub(super) fn where_status(&self, status: Option<&str>) -> Self {
        let agrees = |phase: &&Phase| match (status, phase) {
            (None, phase) => **phase == Absent,
            (Some(_), Absent) => false,
            (Some("created"), phase) => **phase == Created,
            (Some("running"), phase) => matches!(phase, Running | Paused | Doomed),
            (Some("stopped"), phase) => **phase == Stopped,
            (Some(_), phase) => matches!(phase, Paused | Doomed),
        };
        Self(self.by_now().0.iter().filter(agrees).copied().collect())
    }
}

/// Every order of the numbers below `count`.
fn orders(count: usize) -> Vec<Vec<usize>> {
    (0..count).fold(vec![Vec::new()], |orders, next| {
        let put = |order: &Vec<usize>, at: usize| {
            let mut order = order.clone();
            order.insert(at, next);
            order
        };
        orders.iter().flat_map(|order| (0..=order.len()).map(|at| put(order, at)).collect::<Vec<_>>()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: [Call; 11] = [
        Call::Create,
        Call::Start,
        Call::State,
        Call::Kill(Signal::Kill),
        Call::Kill(Signal::Term),
        Call::Delete,
        Call::DeleteForce,
        Call::Pause,
        Call::Resume,
        Call::Exec,
        Call::Update,
    ];

    fn known(phase: Phase) -> PossiblePhases {
        PossiblePhases(BTreeSet::from([phase]))
    }

    #[test]
    fn every_call_has_an_end_in_every_phase() {
        for call in CALLS {
            for phase in [Absent, Created, Running, Paused, Doomed, Stopped] {
                assert!(!allowed(phase, call).is_empty(), "{call} in {phase:?}");
            }
        }
    }

    #[test]
    fn what_the_specification_demands_is_not_left_open() {
        for (phase, call) in [
            (Running, Call::Create),
            (Running, Call::Start),
            (Stopped, Call::Start),
            (Stopped, Call::Kill(Signal::Kill)),
            (Running, Call::Delete),
            (Absent, Call::Delete),
            (Absent, Call::State),
        ] {
            assert_eq!(allowed(phase, call), [(Refused, phase)], "{call} in {phase:?}");
        }
    }

    #[test]
    fn of_calls_at_once_some_order_must_explain_all() {
        let start = (Call::Start, Worked);
        assert_eq!(known(Created).after_at_once(&[start, start]).0, BTreeSet::new(), "only one can start it");
        let kill = (Call::Kill(Signal::Kill), Worked);
        assert_eq!(known(Created).after_at_once(&[start, kill]).0, BTreeSet::from([Stopped]));
        let delete = (Call::Delete, Worked);
        assert_eq!(known(Stopped).after_at_once(&[delete, delete]).0, BTreeSet::from([Absent, Stopped]));
        assert_eq!(known(Created).after_at_once(&[delete, start]).0, BTreeSet::new(), "gone or running, not both");
        assert_eq!(orders(3).len(), 6);
    }

    #[test]
    fn what_is_seen_narrows_what_is_known() {
        let both = PossiblePhases(BTreeSet::from([Created, Absent]));
        assert_eq!(both.where_process(false).0, BTreeSet::from([Absent]));
        assert_eq!(both.where_status(Some("created")).0, BTreeSet::from([Created]));
        assert_eq!(known(Running).where_status(Some("stopped")).0, BTreeSet::new());
        assert_eq!(known(Doomed).where_process(false).0, BTreeSet::from([Stopped]));
        assert_eq!(known(Doomed).where_process(true).0, BTreeSet::from([Doomed]));
        assert_eq!(known(Paused).where_process(false).0, BTreeSet::new());
    }
}
