//! Minimizes a case: removes whatever can be removed while the same property is still violated.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use plimsoll_engine::deadline::scaled;
use plimsoll_engine::fuzz_case::{self, BrokenProperty, CaseResult};
use plimsoll_engine::workers::Workers;
use plimsoll_reports::model::Finding;
use plimsoll_suites::fuzz::bundle::Draw;
use plimsoll_suites::fuzz::input::{Input, Judge};
use plimsoll_suites::fuzz::{chance, hostile};
use plimsoll_suites::model::sequence;
use proptest::strategy::{Strategy, ValueTree};

use super::findings::Tried;
use crate::shared::failure::Failure;
use crate::shared::session::{Session, interrupted};

/// The longest that a case is made simpler.
const LIMIT: Duration = Duration::from_secs(20);

/// A case that cannot be made simpler, or not in time.
#[derive(Clone)]
pub struct Minimal {
    pub input: Input,
    /// What it shows.
    pub findings: Vec<Finding>,
    /// Everything that it breaks, where it was tried.
    pub broken: Vec<BrokenProperty>,
    /// How many trials it took.
    pub trials: u64,
}

impl Minimal {
    /// A case as it is.
    pub fn of(input: &Input, broken: &BrokenProperty) -> Self {
        Self { input: input.clone(), findings: broken.findings.clone(), broken: Vec::new(), trials: 0 }
    }

    /// The same case for another property, if it breaks that as well: one cause breaks many, and is looked for once.
    pub fn as_of(&self, property: &str) -> Option<Self> {
        let other = self.broken.iter().find(|broken| broken.property == property)?;
        Some(Self { findings: other.findings.clone(), trials: 0, ..self.clone() })
    }
}

/// Tries cases one after the other.
pub struct Shrinker<'s> {
    session: &'s Session,
    judge: &'s Judge,
    /// What was tried already: a step that is taken back leads to a known case.
    tried: HashMap<String, CaseResult>,
    trials: u64,
}

impl<'s> Shrinker<'s> {
    pub fn new(session: &'s Session, judge: &'s Judge) -> Self {
        Self { session, judge, tried: HashMap::new(), trials: 0 }
    }

    /// What comes of a case.
    pub fn attempt(&mut self, input: &Input) -> Result<CaseResult, Failure> {
        let key = serde_json::to_string(input).unwrap_or_default();
        if let Some(known) = self.tried.get(&key) {
            return Ok(known.clone());
        }
        if interrupted() {
            return Ok(fuzz_case::interrupted());
        }
        self.trials += 1;
        let settings = self.session.settings();
        let mut workers: Workers<()> = Workers::new(settings, settings.timeout * 6);
        workers
            .start((), |tag| serde_json::to_vec(&self.judge.attempt(input, false, settings, tag)).unwrap_or_default())
            .map_err(Failure::host)?;
        let mut result = fuzz_case::died(false);
        while !workers.is_empty() {
            if interrupted() {
                workers.kill_all().map_err(Failure::host)?;
                return Ok(fuzz_case::interrupted());
            }
            for ended in workers.ended().map_err(Failure::host)? {
                result = read(&workers, &ended)?;
            }
        }
        self.tried.insert(key, result.clone());
        Ok(result)
    }

    /// The minimal case that breaks the same property.
    pub fn minimal(&mut self, tried: &Tried<'_>, broken: &BrokenProperty) -> Result<Minimal, Failure> {
        let mut best = Minimal::of(tried.input, broken);
        let Some(case) = tried.case else { return Ok(best) };
        let deadline = Instant::now() + scaled(LIMIT);
        match tried.input {
            Input::Bundle(_) => self.bundle(tried, case, broken, &mut best, deadline)?,
            Input::Lifecycle(_) => {
                let tree =
                    sequence().new_tree(&mut chance(tried.seed, case)).map_err(|why| Failure::Host(why.to_string()))?;
                self.descend(tree, Input::Lifecycle, broken, &mut best, deadline)?;
            }
            Input::Hostile(_) => {
                let tree = hostile::strategy().new_tree(&mut chance(tried.seed, case));
                let tree = tree.map_err(|why| Failure::Host(why.to_string()))?;
                self.descend(tree, Input::Hostile, broken, &mut best, deadline)?;
            }
        }
        best.trials = self.trials;
        Ok(best)
    }

    fn bundle(
        &mut self,
        tried: &Tried<'_>,
        case: u64,
        broken: &BrokenProperty,
        best: &mut Minimal,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let sources = self.judge.sources();
        let draw = Draw::new(&sources);
        let mut bundle = draw.bundle(&mut chance(tried.seed, case));
        let parts = tried.input.parts();
        bundle.keep_only(|name| parts.iter().any(|part| part == name));
        // The edits of the rule's own cases are the likely culprits.
        let own = |name: &str| name.split('/').next() == Some(broken.property.as_str());
        if parts.iter().any(|part| own(part)) {
            let mut first = draw.bundle(&mut chance(tried.seed, case));
            first.keep_only(|name| own(name) && parts.iter().any(|part| part == name));
            if self.breaks(&Input::Bundle(first.current()), broken, best)? {
                bundle = first;
            }
        }
        // A valid bundle without one of the edits of a fragment need not be valid. Then it says nothing that it does not run, nor
        // what is left by a runtime that takes it.
        if [fuzz_case::RUNS, fuzz_case::IN_TIME, fuzz_case::LEAVES_NOTHING].contains(&broken.property.as_str()) {
            bundle.whole_fragments_only();
        }
        self.descend(bundle, Input::Bundle, broken, best, deadline)
    }

    fn descend<T: ValueTree>(
        &mut self,
        mut tree: T,
        input: impl Fn(T::Value) -> Input,
        broken: &BrokenProperty,
        best: &mut Minimal,
        deadline: Instant,
    ) -> Result<(), Failure> {
        while Instant::now() < deadline && !interrupted() && tree.simplify() {
            while !self.breaks(&input(tree.current()), broken, best)? {
                if Instant::now() >= deadline || interrupted() || !tree.complicate() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether a case breaks the same property. If so, it is the best so far.
    fn breaks(&mut self, input: &Input, broken: &BrokenProperty, best: &mut Minimal) -> Result<bool, Failure> {
        let result = self.attempt(input)?;
        let same = result.broken.iter().find(|other| other.property == broken.property);
        let Some(same) = same else { return Ok(false) };
        // What is taken back is known to break it, and no simpler.
        if input.size() <= best.input.size() {
            (best.input, best.findings) = (input.clone(), same.findings.clone());
            best.broken = result.broken;
        }
        Ok(true)
    }
}

/// The result of a process that has ended.
pub fn read<T>(workers: &Workers<T>, ended: &plimsoll_engine::workers::Ended<T>) -> Result<CaseResult, Failure> {
    if let Some(result) = ended.output.as_deref().and_then(|output| serde_json::from_slice(output).ok()) {
        return Ok(result);
    }
    workers.clean_up(ended).map_err(Failure::host)?;
    Ok(fuzz_case::died(ended.late))
}
