//! Observes a container: by questions to the probe, and by what the host sees of its process.

use std::collections::BTreeMap;

use plimsoll_fixtures::probe::{Answer, Ask, Reply, Sighting};

use super::Container;
use crate::containers::evidence::{Evidence, Inside};
use crate::runtime::fault::Fault;
use crate::runtime::judgement::{StepResult, Stop};
use crate::system::cgroup::{self, Knob, KnobValue};
use crate::system::observer::Observation;

impl Container<'_> {
    /// Asks the probe.
    ///
    /// # Errors
    /// [`Stop::Broken`] when the program ends or keeps silent.
    pub fn ask(&self, ask: Ask) -> StepResult<Answer> {
        let mut answers = self.ask_all(&[ask])?;
        answers.pop().ok_or_else(|| Stop::Error("the probe lost a question".into()))
    }

    /// Asks the probe several questions at once.
    ///
    /// # Errors
    /// As [`Container::ask`].
    pub fn ask_all(&self, asks: &[Ask]) -> StepResult<Vec<Answer>> {
        let answers = self.channel.borrow_mut().ask(asks, &self.pidfd)?;
        let Some(Fault::Neutral(neutral)) = self.lab.settings.fault else { return Ok(answers) };
        Ok(asks.iter().zip(answers).map(|(ask, answer)| neutral.answer(ask, answer)).collect())
    }

    /// Asks the probe something that it can answer only after something else has been done.
    ///
    /// # Errors
    /// As [`Container::ask`], and those of what is done.
    pub fn ask_while(&self, ask: Ask, meanwhile: impl FnOnce() -> StepResult) -> StepResult<Answer> {
        self.tell(ask)?;
        meanwhile()?;
        let mut answers = self.channel.borrow_mut().receive(1, &self.pidfd)?;
        answers.pop().ok_or_else(|| Stop::Error("the probe lost a question".into()))
    }

    /// What the program can get at in other processes of its pid namespace while something else is done.
    ///
    /// # Errors
    /// As [`Container::ask_while`]; [`Stop::Error`] when it cannot look.
    pub fn watch_while(&self, meanwhile: impl FnOnce() -> StepResult) -> StepResult<Vec<Sighting>> {
        let answer = self.ask_while(Ask::Watch, || {
            meanwhile()?;
            self.tell(Ask::Cwd)
        })?;
        self.channel.borrow_mut().receive(1, &self.pidfd)?;
        match answer {
            Ok(Reply::Sightings(sightings)) => Ok(sightings),
            other => Err(Stop::Error(format!("the probe cannot watch: {other:?}"))),
        }
    }

    /// Sends a question that has no answer, such as [`Ask::Exit`].
    ///
    /// # Errors
    /// As [`Container::ask`].
    pub fn tell(&self, ask: Ask) -> StepResult {
        self.channel.borrow_mut().send(&[ask])
    }

    /// What the host sees of the container's process.
    ///
    /// # Errors
    /// [`Stop::Broken`] when the process is gone.
    pub fn observe(&self) -> StepResult<Observation> {
        let ended = || Stop::broken("the container's process", "alive", "it has ended");
        if !self.is_alive()? {
            return Err(ended());
        }
        Observation::of(self.pid).map_err(|why| match why.kind() {
            std::io::ErrorKind::NotFound => ended(),
            _ => Stop::error("observe the container's process")(why),
        })
    }

    /// The facts that rules judge: answers from inside, and the host's view when there is one.
    ///
    /// # Errors
    /// As [`Container::ask`] and [`Container::observe`].
    pub fn evidence(&self, asks: Vec<Ask>) -> StepResult<Evidence> {
        let outside = if self.lab.settings.profile.shares_kernel { Some(self.observe()?) } else { None };
        Ok(Evidence { inside: self.answers(asks)?, outside, knob_values: BTreeMap::new(), bundle: self.bundle.clone() })
    }

    /// What the container's own control group holds of a setting, or why nothing could be read.
    ///
    /// # Errors
    /// [`Stop::Error`] when `/proc` does not show its process.
    pub fn knob_value(&self, knob: &Knob) -> StepResult<Result<KnobValue, String>> {
        let memberships = cgroup::of(self.pid)?;
        let path = self.bundle.config.text("/linux/cgroupsPath").unwrap_or_default();
        Ok(knob.value(&memberships, path).map_err(|why| why.to_string()))
    }

    /// The answers to questions that may be too many for one line.
    pub(crate) fn answers(&self, asks: Vec<Ask>) -> StepResult<Inside> {
        let mut answers = Vec::new();
        for part in in_lines(&asks) {
            answers.extend(self.ask_all(part)?);
        }
        Ok(Inside::new(asks.into_iter().zip(answers).collect()))
    }
}

/// A terminal takes lines of 4 KiB at most.
const LONGEST_LINE: usize = 3000;

/// Questions in parts that each fit into a line of a terminal.
fn in_lines(asks: &[Ask]) -> Vec<&[Ask]> {
    let (mut parts, mut from, mut length) = (Vec::new(), 0, 0);
    for (at, ask) in asks.iter().enumerate() {
        let own = format!("{ask:?}").len() + 40;
        if length + own > LONGEST_LINE && at > from {
            parts.push(&asks[from..at]);
            (from, length) = (at, 0);
        }
        length += own;
    }
    if from < asks.len() {
        parts.push(&asks[from..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_asked_once_and_in_order() {
        let asks: Vec<Ask> = (0..300).map(|number| Ask::Read(format!("/a/file/{number}"))).collect();
        let parts = in_lines(&asks);
        assert!(parts.len() > 2 && parts.iter().all(|part| !part.is_empty()));
        assert_eq!(parts.concat(), asks);
        assert!(in_lines(&[]).is_empty());
    }
}
