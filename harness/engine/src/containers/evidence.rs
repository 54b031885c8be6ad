//! The facts that rules judge: the answers of the probe and what the host sees.

use std::collections::BTreeMap;

use plimsoll_fixtures::Bundle;
use plimsoll_fixtures::probe::{
    Answer, Ask, Capabilities, Ids, Refused, Reply, Rlimit, Session, Signals, Stat, Terminal,
};

use crate::system::cgroup::{Knob, KnobValue};
use crate::system::observer::Observation;

/// Everything that is known of a running container.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The answers of the probe.
    pub inside: Inside,
    /// What the host saw of its process. A runtime whose containers have a kernel of their own shows nothing here;
    /// rules that need it say so, and are skipped for it.
    pub outside: Option<Observation>,
    /// The values of the cgroup settings that the rule looks at.
    pub knob_values: BTreeMap<Knob, Result<KnobValue, String>>,
    /// What the container was made from.
    pub bundle: Bundle,
}

impl Evidence {
    /// What the container's own group holds of a setting.
    ///
    /// # Errors
    /// Why nothing could be read.
    ///
    /// # Panics
    /// When the rule did not say that it looks at it; the check is then an error of the harness.
    pub fn knob_value(&self, knob: &Knob) -> Result<&KnobValue, &String> {
        self.knob_values
            .get(knob)
            .unwrap_or_else(|| panic!("judged by {}, which was not looked at", knob.name()))
            .as_ref()
    }

    /// The host's view, for rules that declared that they need it.
    ///
    /// # Panics
    /// When the rule did not; the check is then an error of the harness.
    #[must_use]
    pub fn host(&self) -> &Observation {
        self.outside.as_ref().unwrap_or_else(|| panic!("the rule judges by the host's view without asking for it"))
    }
}

/// The answers of the probe, by question.
#[derive(Clone, Debug, Default)]
pub struct Inside(BTreeMap<Ask, Answer>);

/// An answer of another kind than the question has: a mistake of the harness, caught as such.
macro_rules! reply {
    ($inside:expr, $ask:expr, $variant:ident) => {
        match $inside.get(&$ask) {
            Ok(Reply::$variant(value)) => Ok(value),
            Ok(other) => panic!("{:?} was answered by {other:?}", $ask),
            Err(refused) => Err(refused),
        }
    };
}

impl Inside {
    /// These answers.
    #[must_use]
    pub fn new(answers: BTreeMap<Ask, Answer>) -> Self {
        Self(answers)
    }

    /// The answer to a question.
    ///
    /// # Errors
    /// What the kernel answered inside, when it refused.
    ///
    /// # Panics
    /// When the question was not asked.
    pub fn get(&self, ask: &Ask) -> Result<&Reply, &Refused> {
        self.0.get(ask).unwrap_or_else(|| panic!("judged by {ask:?}, which was not asked")).as_ref()
    }

    /// [`Ask::Read`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn read(&self, path: &str) -> Result<&Vec<u8>, &Refused> {
        reply!(self, Ask::Read(path.to_owned()), Bytes)
    }

    /// [`Ask::Stat`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn stat(&self, path: &str) -> Result<&Stat, &Refused> {
        reply!(self, Ask::Stat(path.to_owned()), Stat)
    }

    /// [`Ask::Lstat`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn lstat(&self, path: &str) -> Result<&Stat, &Refused> {
        reply!(self, Ask::Lstat(path.to_owned()), Stat)
    }

    /// [`Ask::List`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn list(&self, path: &str) -> Result<&Vec<String>, &Refused> {
        reply!(self, Ask::List(path.to_owned()), Names)
    }

    /// [`Ask::Readlink`], [`Ask::Cwd`] and other questions that are answered by a text.
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn text(&self, ask: &Ask) -> Result<&String, &Refused> {
        reply!(self, *ask, Text)
    }

    /// Questions that are answered by a number.
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn count(&self, ask: &Ask) -> Result<i64, &Refused> {
        reply!(self, *ask, Count).copied()
    }

    /// [`Ask::Ids`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn ids(&self) -> Result<&Ids, &Refused> {
        reply!(self, Ask::Ids, Ids)
    }

    /// [`Ask::Capabilities`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn capabilities(&self) -> Result<&Capabilities, &Refused> {
        reply!(self, Ask::Capabilities, Capabilities)
    }

    /// [`Ask::Rlimits`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn rlimits(&self) -> Result<&BTreeMap<String, Rlimit>, &Refused> {
        reply!(self, Ask::Rlimits, Rlimits)
    }

    /// [`Ask::Terminal`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn terminal(&self) -> Result<&Terminal, &Refused> {
        reply!(self, Ask::Terminal, Terminal)
    }

    /// [`Ask::Fds`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn fds(&self) -> Result<&BTreeMap<i32, String>, &Refused> {
        reply!(self, Ask::Fds, Fds)
    }

    /// [`Ask::Signals`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn signals(&self) -> Result<&Signals, &Refused> {
        reply!(self, Ask::Signals, Signals)
    }

    /// [`Ask::Session`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn session(&self) -> Result<&Session, &Refused> {
        reply!(self, Ask::Session, Session)
    }

    /// [`Ask::Namespaces`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn namespaces(&self) -> Result<&BTreeMap<String, String>, &Refused> {
        reply!(self, Ask::Namespaces, Map)
    }

    /// Questions that are answered by names: [`Ask::Environ`], [`Ask::Args`].
    ///
    /// # Errors
    /// As [`Inside::get`].
    pub fn names(&self, ask: &Ask) -> Result<&Vec<String>, &Refused> {
        reply!(self, *ask, Names)
    }
}
