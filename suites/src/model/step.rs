//! The steps of a random lifecycle.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;
use serde::{Deserialize, Serialize};

/// Which of two ids a step is about.
type Slot = u8;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// One call of the runtime.
    One(Slot, Call),
    /// Calls for one id that are under way at the same time.
    AtOnce(Slot, Vec<Call>),
    /// The program ends by itself.
    Exit(Slot),
    /// Something else is written into the `config.json` that the container was made from.
    Edit(Slot),
}

/// A call of the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// `create`, from a new bundle.
    Create,
    /// `start`.
    Start,
    /// `state`.
    State,
    /// `kill`.
    Kill(Signal),
    /// `delete`.
    Delete,
    /// `delete` by force.
    DeleteForce,
    /// `pause`.
    Pause,
    /// `resume`.
    Resume,
    /// `exec`.
    Exec,
    /// `update`.
    Update,
}

/// A signal. An init process of a pid namespace that handles none feels only the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the signals")]
pub enum Signal {
    Kill,
    Term,
    Usr1,
    Cont,
}

impl Signal {
    /// As `kill` takes it.
    fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Kill => "KILL",
            Self::Usr1 => "USR1",
            Self::Cont => "CONT",
        }
    }
}

impl Call {
    /// The property that its outcome is one that the model allows.
    #[must_use]
    pub fn property(self) -> &'static str {
        match self {
            Self::Create => "model.create",
            Self::Start => "model.start",
            Self::State => "model.state",
            Self::Kill(_) => "model.kill",
            Self::Delete => "model.delete",
            Self::DeleteForce => "model.delete-force",
            Self::Pause => "model.pause",
            Self::Resume => "model.resume",
            Self::Exec => "model.exec",
            Self::Update => "model.update",
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeleteForce => write!(f, "delete --force"),
            Self::Kill(signal) => write!(f, "kill {}", signal.name()),
            other => f.write_str(other.property().trim_start_matches("model.")),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |slot: &Slot| char::from(b'a' + slot % 2);
        match self {
            Self::One(slot, call) => write!(f, "{call} {}", name(slot)),
            Self::AtOnce(slot, calls) => {
                let calls: Vec<String> = calls.iter().map(ToString::to_string).collect();
                write!(f, "at once {}: {}", name(slot), calls.join(", "))
            }
            Self::Exit(slot) => write!(f, "{} exits by itself", name(slot)),
            Self::Edit(slot) => write!(f, "the config of {} is overwritten", name(slot)),
        }
    }
}

/// Random sequences. Most steps are about the first id; the second is there so that one is seen to leave the other alone.
pub fn sequence() -> BoxedStrategy<Vec<Step>> {
    prop::collection::vec(step(), 2..12).boxed()
}

fn step() -> BoxedStrategy<Step> {
    let slot = || prop_oneof![4 => Just(0_u8), 1 => Just(1_u8)];
    prop_oneof![
        16 => (slot(), call()).prop_map(|(slot, call)| Step::One(slot, call)),
        2 => (slot(), prop::collection::vec(call_at_once(), 2..4)).prop_map(|(slot, calls)| Step::AtOnce(slot, calls)),
        2 => slot().prop_map(Step::Exit),
        1 => slot().prop_map(Step::Edit),
    ]
    .boxed()
}

fn call() -> BoxedStrategy<Call> {
    prop_oneof![
        6 => Just(Call::Create),
        6 => Just(Call::Start),
        1 => Just(Call::State),
        4 => select(vec![Signal::Kill, Signal::Kill, Signal::Term, Signal::Usr1, Signal::Cont]).prop_map(Call::Kill),
        4 => Just(Call::Delete),
        2 => Just(Call::DeleteForce),
        2 => Just(Call::Pause),
        2 => Just(Call::Resume),
        1 => Just(Call::Exec),
        1 => Just(Call::Update),
    ]
    .boxed()
}

/// Those that make no conversation with a new program necessary.
fn call_at_once() -> BoxedStrategy<Call> {
    select(vec![Call::Start, Call::Kill(Signal::Kill), Call::Delete, Call::DeleteForce, Call::State]).boxed()
}
