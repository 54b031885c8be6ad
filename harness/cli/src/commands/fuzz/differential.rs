//! `plimsoll fuzz --differential`: runs the same random bundles on several runtimes. Differences are minimized and grouped by
//! rule. A difference that violates no rule shows where the specification is silent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plimsoll_engine::fuzz_case::{self, CaseResult};
use plimsoll_engine::workers::Workers;
use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::model::fuzz::{self as model, Failure as Found, Fuzz};
use plimsoll_reports::model::{Finding, Verdict};
use plimsoll_suites::fuzz::bundle::{Bundle, Draw};
use plimsoll_suites::fuzz::chance;
use plimsoll_suites::fuzz::input::{Input, Judge};
use proptest::strategy::ValueTree;

use super::case::{SavedCase, describe};
use super::findings::count;
use super::shrink::read;
use super::{CASES, milliseconds, processor_ms, seed};
use crate::args::{self, DisplayOptions};
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, every};
use crate::shared::session::{OtherRuntime, Session, interrupted};

/// The longest that a difference is made minimal.
const LIMIT: Duration = Duration::from_secs(20);

/// Compares runtimes with each other.
pub fn compare(args: &args::Fuzz, display: DisplayOptions) -> Result<ExitCode, Failure> {
    if args.differential.len() < 2 {
        return Err(Failure::Usage("--differential needs at least two runtimes: A,B".to_owned()));
    }
    let (began, started) = (SystemTime::now(), Instant::now());
    let seed = seed(args, began);
    let session = Session::open(&args.subject, None)?;
    let runtimes: Vec<OtherRuntime> =
        args.differential.iter().map(|path| session.of(path)).collect::<Result<_, _>>()?;
    let judge = Judge::new(plimsoll_suites::all(), session.abilities().clone(), args.section.clone());
    let mut comparison = Comparison {
        runtimes: &runtimes,
        session: &session,
        judge: &judge,
        args,
        seed,
        started,
        found: Vec::new(),
        trials: 0,
    };
    let (tried, edits, properties) = comparison.run()?;
    let fuzz = Fuzz {
        schema: model::SCHEMA.to_owned(),
        kind: model::KIND.to_owned(),
        plimsoll: env!("CARGO_PKG_VERSION").to_owned(),
        run: session.id().to_owned(),
        host: session.host.clone(),
        started_at: began.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        duration_ms: milliseconds(started),
        processor_ms: processor_ms()?,
        cut_short: interrupted().then(|| format!("interrupted after {tried} cases")),
        seed,
        corpus: 0,
        cases: BTreeMap::from([("bundle".to_owned(), tried)]),
        again: 0,
        edits,
        properties,
        failures: comparison.found,
        errors: BTreeMap::new(),
        runtimes: runtimes.iter().map(|other| other.runtime.clone()).collect(),
    };
    drop(session);
    let written = fuzz.write(&args.output).map_err(Failure::host);
    let code = fuzz.exit_code();
    let shown = deliver(&[], &Documents { searches: vec![fuzz], ..Documents::default() }, display);
    every([written, shown])?;
    Ok(ExitCode::from(code))
}

struct Comparison<'c> {
    runtimes: &'c [OtherRuntime],
    session: &'c Session,
    judge: &'c Judge,
    args: &'c args::Fuzz,
    seed: u64,
    started: Instant,
    found: Vec<Found>,
    trials: u64,
}

/// Numbers by name.
type Counts = BTreeMap<String, u64>;

impl Comparison<'_> {
    /// Compares until there were enough cases or the time is over.
    fn run(&mut self) -> Result<(u64, Counts, Counts), Failure> {
        let sources = self.judge.sources();
        let draw = Draw::new(&sources);
        let (mut tried, mut edits, mut properties) = (0, Counts::new(), Counts::new());
        let limit = self.args.cases.or_else(|| self.args.time.is_none().then_some(CASES));
        let enough = |tried| limit.is_some_and(|limit| tried >= limit);
        let over = |since: Instant| self.args.time.is_some_and(|time| since.elapsed() >= time.0);
        while !interrupted() && !enough(tried) && !over(self.started) {
            let bundle = draw.bundle(&mut chance(self.seed, tried));
            let input = Input::Bundle(bundle.current());
            let trials = self.attempt(&input)?;
            if interrupted() {
                break;
            }
            input.parts().iter().for_each(|part| count(&mut edits, part));
            trials.iter().flat_map(|result| &result.judged).for_each(|rule| count(&mut properties, rule));
            for (rule, findings) in self.differences(&trials) {
                self.note(tried, &rule, findings, &draw, &input)?;
            }
            tried += 1;
        }
        Ok((tried, edits, properties))
    }

    /// What comes of a case on each runtime, all at once.
    fn attempt(&mut self, input: &Input) -> Result<Vec<CaseResult>, Failure> {
        self.trials += 1;
        let first = &self.runtimes[0].settings;
        let mut workers: Workers<usize> = Workers::new(first, first.timeout * 6);
        for (number, other) in self.runtimes.iter().enumerate() {
            let settings = &other.settings;
            let work =
                |tag: &str| serde_json::to_vec(&self.judge.attempt(input, true, settings, tag)).unwrap_or_default();
            workers.start(number, work).map_err(Failure::host)?;
        }
        let mut trials = vec![CaseResult::default(); self.runtimes.len()];
        while !workers.is_empty() {
            if interrupted() {
                workers.kill_all().map_err(Failure::host)?;
                return Ok(vec![fuzz_case::interrupted(); self.runtimes.len()]);
            }
            for ended in workers.ended().map_err(Failure::host)? {
                trials[ended.task] = read(&workers, &ended)?;
            }
        }
        Ok(trials)
    }

    /// The differences between runtimes, by rule: violated properties, and answers inside.
    fn differences(&self, trials: &[CaseResult]) -> Vec<(String, Vec<Finding>)> {
        let mut found: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        let broken =
            |result: &CaseResult, property: &str| result.broken.iter().any(|broken| broken.property == property);
        let properties: Vec<&String> = trials.iter().flat_map(|t| &t.broken).map(|broken| &broken.property).collect();
        for property in properties {
            let broken: Vec<bool> = trials.iter().map(|result| broken(result, property)).collect();
            if broken.iter().any(|one| *one != broken[0]) {
                let told = trials.iter().map(|result| {
                    let own = result.broken.iter().find(|broken| broken.property == *property);
                    own.and_then(|broken| broken.findings.first())
                        .map_or_else(|| "as expected".to_owned(), |f| format!("{}: {}", f.what, f.observed))
                });
                found.entry(property.clone()).or_insert_with(|| vec![self.finding(property, told.collect())]);
            }
        }
        // Where a runtime did not run the bundle there is nothing to compare.
        if trials.iter().all(|result| !result.facts.is_empty()) {
            for (rule, facts) in &trials[0].facts {
                for (at, fact) in facts.iter().enumerate() {
                    let answers: Vec<Option<&str>> = trials
                        .iter()
                        .map(|result| {
                            result.facts.get(rule).and_then(|facts| facts.get(at)).map(|fact| fact.answer.as_str())
                        })
                        .collect();
                    if answers.iter().any(|answer| *answer != answers[0]) {
                        let told = answers.iter().map(|answer| answer.unwrap_or("nothing").to_owned()).collect();
                        found.entry(rule.clone()).or_default().push(self.finding(&fact.ask, told));
                    }
                }
            }
        }
        found.into_iter().collect()
    }

    fn finding(&self, what: &str, told: Vec<String>) -> Finding {
        let told = self.runtimes.iter().zip(told).map(|(other, told)| {
            let name = other.runtime.path.raw().rsplit('/').next().unwrap_or_default();
            format!("{name}: {}", told.chars().take(400).collect::<String>())
        });
        Finding {
            what: what.to_owned(),
            expected: "all agree".to_owned(),
            observed: told.collect::<Vec<_>>().join("\n"),
        }
    }

    fn note(
        &mut self,
        case: u64,
        rule: &str,
        findings: Vec<Finding>,
        draw: &Draw<'_>,
        input: &Input,
    ) -> Result<(), Failure> {
        let parts = input.parts();
        let known = |found: &&mut Found| found.property == rule && found.parts.iter().all(|part| parts.contains(part));
        if let Some(found) = self.found.iter_mut().find(known) {
            found.times += 1;
            return Ok(());
        }
        let (began, before) = (Instant::now(), self.trials);
        let mut best = (input.clone(), findings);
        let bundle = draw.bundle(&mut chance(self.seed, case));
        self.shrink(bundle, rule, &mut best)?;
        let (input, findings) = best;
        let dir = self.place(rule);
        let clauses = self.judge.clauses(rule);
        let kept = SavedCase {
            description: describe(&input),
            property: rule.to_owned(),
            clauses: clauses.iter().map(|clause| clause.id.clone()).collect(),
            runtime: self.runtimes.iter().map(|other| other.runtime.version.raw()).collect::<Vec<_>>().join(", "),
            seed: self.seed,
            case: Some(case),
            input,
        };
        kept.write(&dir)?;
        self.found.push(Found {
            property: rule.to_owned(),
            kind: "difference".to_owned(),
            // A difference is no breach: whether it is one is what `fuzz --runtime` says.
            verdict: Verdict::Warn,
            clauses,
            description: kept.description.clone(),
            parts: kept.input.parts(),
            size: kept.input.size() as u64,
            case: Some(case),
            times: 1,
            found_ms: milliseconds(self.started) - milliseconds(began),
            shrunk_ms: milliseconds(began),
            trials: self.trials - before,
            findings,
            replay: self.session.replay(&dir),
            kept: Some(dir.to_string_lossy().into_owned()),
            known: None,
        });
        Ok(())
    }

    fn shrink(&mut self, mut bundle: Bundle, rule: &str, best: &mut (Input, Vec<Finding>)) -> Result<(), Failure> {
        let deadline = Instant::now() + LIMIT;
        bundle.whole_fragments_only();
        while Instant::now() < deadline && !interrupted() && bundle.simplify() {
            loop {
                let input = Input::Bundle(bundle.current());
                let trials = self.attempt(&input)?;
                if let Some((_, findings)) = self.differences(&trials).into_iter().find(|(other, _)| other == rule) {
                    *best = (input, findings);
                    break;
                }
                if interrupted() || !bundle.complicate() || Instant::now() >= deadline {
                    break;
                }
            }
        }
        Ok(())
    }

    fn place(&self, rule: &str) -> PathBuf {
        let mut names = (1_u32..).map(|number| self.args.keep.join(format!("difference-{rule}-{number}")));
        names.find(|dir| !dir.exists()).unwrap_or_else(|| self.args.keep.join(rule))
    }
}
