//! Draws cases and runs several at the same time.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use plimsoll_engine::fuzz_case::CaseResult;
use plimsoll_engine::workers::Workers;
use plimsoll_suites::fuzz::bundle::Draw;
use plimsoll_suites::fuzz::input::{Input, Judge};
use plimsoll_suites::fuzz::{chance, hostile};
use plimsoll_suites::model::sequence;
use proptest::strategy::{Strategy, ValueTree};

use super::CASES;
use super::case::SavedCase;
use super::findings::{Findings, Tried, count};
use super::progress::Reporter;
use super::shrink::read;
use crate::args::{self, Kind};
use crate::shared::failure::Failure;
use crate::shared::session::{Session, interrupted};

/// What the user wants to be tried.
pub struct Wanted {
    pub seed: u64,
    cases: Option<u64>,
    time: Option<Duration>,
    kinds: Vec<Kind>,
    first: bool,
}

impl Wanted {
    pub fn of(args: &args::Fuzz, seed: u64) -> Self {
        let all = vec![Kind::Bundle, Kind::Lifecycle, Kind::Hostile];
        let kinds = match args.kind.as_slice() {
            // Sections are of configurations.
            [] if !args.section.is_empty() => vec![Kind::Bundle],
            [] => all,
            some => some.to_vec(),
        };
        let cases = args.cases.or_else(|| args.time.is_none().then_some(CASES));
        Self { seed, cases, time: args.time.map(|time| time.0), kinds, first: args.first }
    }

    /// The kind of a case: mostly bundles, which say most.
    fn kind(&self, number: u64) -> Kind {
        const TURNS: [Kind; 8] = [
            Kind::Bundle,
            Kind::Bundle,
            Kind::Lifecycle,
            Kind::Bundle,
            Kind::Bundle,
            Kind::Hostile,
            Kind::Bundle,
            Kind::Bundle,
        ];
        let turns: Vec<Kind> = TURNS.into_iter().filter(|kind| self.kinds.contains(kind)).collect();
        turns[usize::try_from(number).unwrap_or(0) % turns.len()]
    }
}

/// A case that is tried: its number, unless it is of the corpus, and whether it is tried again.
struct Task {
    case: Option<u64>,
    again: bool,
    input: Input,
}

/// A search under way.
pub struct Search<'s> {
    session: &'s Session,
    judge: &'s Judge,
    wanted: &'s Wanted,
    pub cases: BTreeMap<String, u64>,
    pub again: u64,
    pub edits: BTreeMap<String, u64>,
    pub properties: BTreeMap<String, u64>,
    pub errors: BTreeMap<String, u64>,
}

impl<'s> Search<'s> {
    pub fn new(session: &'s Session, judge: &'s Judge, wanted: &'s Wanted) -> Self {
        let none = || BTreeMap::new();
        let properties = if wanted.kinds.contains(&Kind::Bundle) {
            judge.drawn_rules().into_iter().map(|rule| (rule, 0)).collect()
        } else {
            none()
        };
        Self { session, judge, wanted, cases: none(), again: 0, edits: none(), properties, errors: none() }
    }

    /// How many random cases were tried.
    pub fn tried(&self) -> u64 {
        self.cases.values().sum()
    }

    /// Tries the corpus, then random cases until there were enough of them or the time is over.
    pub fn run(
        &mut self,
        corpus: &[(String, SavedCase)],
        findings: &mut Findings<'_>,
        reporter: &mut Reporter,
    ) -> Result<(), Failure> {
        let sources = self.judge.sources();
        let draw = Draw::new(&sources);
        if sources.is_empty() && self.wanted.kinds.contains(&Kind::Bundle) {
            return Err(Failure::Nothing("this host supports no edits of these sections".to_owned()));
        }
        let settings = self.session.settings();
        let mut workers: Workers<Task> = Workers::new(settings, settings.timeout * 6);
        let of_corpus = |(_, kept): &(String, SavedCase)| Task { case: None, again: false, input: kept.input.clone() };
        let mut waiting: VecDeque<Task> = corpus.iter().map(of_corpus).collect();
        let (mut number, started) = (0, Instant::now());
        loop {
            if interrupted() || self.wanted.first && findings.is_red() {
                workers.kill_all().map_err(Failure::host)?;
                return Ok(());
            }
            let over = self.is_over(number, started);
            while workers.len() < self.session.jobs() && (!waiting.is_empty() || !over) {
                let task = waiting.pop_front().unwrap_or_else(|| {
                    number += 1;
                    Task { case: Some(number - 1), again: false, input: self.draw(&draw, number - 1) }
                });
                self.start(&mut workers, task)?;
                if self.is_over(number, started) {
                    break;
                }
            }
            if workers.is_empty() {
                return Ok(());
            }
            for ended in workers.ended().map_err(Failure::host)? {
                let result = read(&workers, &ended)?;
                waiting.extend(self.note(&ended.task, &result, findings)?);
                reporter.report(self.tried(), &findings.failures);
            }
        }
    }

    fn is_over(&self, number: u64, started: Instant) -> bool {
        let enough = self.wanted.cases.is_some_and(|cases| number >= cases);
        enough || self.wanted.time.is_some_and(|time| started.elapsed() >= time)
    }

    fn draw(&self, draw: &Draw<'_>, number: u64) -> Input {
        let mut runner = chance(self.wanted.seed, number);
        let kind = self.wanted.kind(number);
        // Neither strategy rejects what it draws.
        let lifecycle = |runner: &mut _| sequence().new_tree(runner).map(|tree| Input::Lifecycle(tree.current()));
        let hostile = |runner: &mut _| hostile::strategy().new_tree(runner).map(|tree| Input::Hostile(tree.current()));
        let drawn = match kind {
            Kind::Bundle => Ok(Input::Bundle(draw.bundle(&mut runner).current())),
            Kind::Lifecycle => lifecycle(&mut runner),
            Kind::Hostile => hostile(&mut runner),
        };
        drawn.unwrap_or_else(|why| unreachable!("case {number}: {why}"))
    }

    fn start(&self, workers: &mut Workers<Task>, task: Task) -> Result<(), Failure> {
        let settings = self.session.settings();
        let input = task.input.clone();
        let work =
            |tag: &str| serde_json::to_vec(&self.judge.attempt(&input, false, settings, tag)).unwrap_or_default();
        workers.start(task, work).map_err(Failure::host)
    }

    /// Takes note of a case. A bundle that something known kept from being judged is to be tried without that.
    fn note(&mut self, task: &Task, result: &CaseResult, findings: &mut Findings<'_>) -> Result<Option<Task>, Failure> {
        let input = &task.input;
        if task.case.is_some() {
            if task.again {
                self.again += 1
            } else {
                count(&mut self.cases, input.kind())
            }
            result.judged.iter().for_each(|name| count(&mut self.properties, name));
        }
        if let (Input::Bundle(fragments), false) = (input, task.again) {
            fragments.iter().for_each(|fragment| count(&mut self.edits, &fragment.name));
        }
        if let Some(why) = &result.error {
            self.errors.entry(why.clone()).or_insert(task.case.unwrap_or_default());
        }
        if self.wanted.first && findings.is_red() {
            return Ok(None);
        }
        let tried = Tried { case: task.case, seed: self.wanted.seed, input, result };
        let in_the_way = findings.note(&tried)?;
        let judged_all = !result.judged.is_empty();
        if judged_all || in_the_way.is_empty() || task.case.is_none() {
            return Ok(None);
        }
        let rest = input.without(&in_the_way);
        Ok(rest.map(|input| Task { case: task.case, again: true, input }))
    }
}
