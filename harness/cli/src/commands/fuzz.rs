//! `plimsoll fuzz`: runs random cases, minimizes those that violate a property, and reports them.

mod case;
mod differential;
mod expectations;
mod findings;
mod progress;
mod search;
mod shrink;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nix::sys::resource::{UsageWho, getrusage};
use plimsoll_engine::fault::Fault;
use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::model::fuzz::{self as model, Fuzz};
use plimsoll_reports::text::printable;
use plimsoll_suites::fuzz::input::Judge;
use plimsoll_suites::mutants;

pub use self::case::{SavedCase, add, list};
use self::expectations::KnownDeviations;
use self::findings::Findings;
use self::progress::Reporter;
use self::search::{Search, Wanted};
use self::shrink::Shrinker;
use crate::args::{self, CORPUS, DisplayOptions};
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, every, ready};
use crate::shared::requirements;
use crate::shared::session::{Session, interrupted};

/// The default number of random cases.
const CASES: u64 = 200;

/// Tries random cases, writes `fuzz.json`, shows what was found.
pub fn fuzz(args: &args::Fuzz, display: DisplayOptions) -> Result<ExitCode, Failure> {
    if !args.differential.is_empty() {
        return differential::compare(args, display);
    }
    requirements::required()?;
    ready(&[], [args.output.as_path()])?;
    let began = SystemTime::now();
    let started = Instant::now();
    let fault = args.fault.as_deref().map(fault).transpose()?;
    let known = KnownDeviations::read(&args.expect)?;
    let corpus = corpus(args.corpus.as_deref())?;
    let session = Session::open(&args.subject, None)?.with_fault(fault);
    let judge = Judge::new(plimsoll_suites::all(), session.abilities().clone(), args.section.clone());
    let wanted = Wanted::of(args, seed(args, began));
    let mut findings = Findings::new(&session, &judge, &known, &args.keep);
    let mut search = Search::new(&session, &judge, &wanted);
    search.run(&corpus, &mut findings, &mut Reporter::new(display))?;
    let fuzz = Fuzz {
        schema: model::SCHEMA.to_owned(),
        kind: model::KIND.to_owned(),
        plimsoll: env!("CARGO_PKG_VERSION").to_owned(),
        run: session.id().to_owned(),
        runtimes: vec![session.runtime.clone()],
        host: session.host.clone(),
        started_at: began.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        duration_ms: milliseconds(started),
        processor_ms: processor_ms()?,
        cut_short: interrupted().then(|| format!("interrupted after {} cases", search.tried())),
        seed: wanted.seed,
        corpus: corpus.len() as u64,
        cases: search.cases.clone(),
        again: search.again,
        edits: search.edits.clone(),
        properties: search.properties.clone(),
        failures: findings.failures,
        errors: search.errors.clone(),
    };
    drop(session);
    let written = fuzz.write(&args.output).map_err(Failure::host);
    let code = fuzz.exit_code();
    let shown = deliver(&[], &Documents { searches: vec![fuzz], ..Documents::default() }, display);
    every([written, shown])?;
    Ok(ExitCode::from(code))
}

/// `plimsoll replay`: tries a saved case once more.
pub fn replay(args: &args::Replay, display: DisplayOptions) -> Result<ExitCode, Failure> {
    let checks = plimsoll_suites::all();
    let kept = SavedCase::read(&args.place, &checks)?;
    let fault = args.fault.as_deref().map(fault).transpose()?;
    let session = Session::open(&args.subject, None)?.with_fault(fault);
    let judge = Judge::new(checks, session.abilities().clone(), Vec::new());
    let result = Shrinker::new(&session, &judge).attempt(&kept.input)?;
    drop(session);
    if interrupted() {
        return Err(Failure::Host("interrupted before the case was tried".to_owned()));
    }
    progress::replayed(&kept, &result, display)?;
    Ok(ExitCode::from(match (&result.error, result.broken.iter().any(|broken| broken.property == kept.property)) {
        (_, true) => 1,
        (Some(_), _) => 2,
        (None, false) if result.broken.is_empty() => 0,
        (None, false) => 1,
    }))
}

/// `plimsoll corpus`: looks after the cases that are tried first.
pub fn look_after(args: &args::Corpus) -> Result<ExitCode, Failure> {
    match &args.command {
        args::CorpusCommand::Add { dir, name, corpus } => add(dir, name.as_deref(), corpus)?,
        args::CorpusCommand::List { corpus } => {
            for (name, kept) in list(corpus, &plimsoll_suites::all())? {
                let line = format!("{name:<40} {}: {}", kept.property, kept.description);
                crate::shared::output::print(&format!("{}\n", printable(&line)))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn seed(args: &args::Fuzz, began: SystemTime) -> u64 {
    let now = || began.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    args.seed.unwrap_or_else(|| u64::try_from(now()).unwrap_or_default())
}

fn corpus(named: Option<&Path>) -> Result<Vec<(String, SavedCase)>, Failure> {
    match named {
        Some(dir) => list(dir, &plimsoll_suites::all()),
        None if Path::new(CORPUS).is_dir() => list(Path::new(CORPUS), &plimsoll_suites::all()),
        None => Ok(Vec::new()),
    }
}

/// The mutant that does what this text says.
fn fault(text: &str) -> Result<Fault, Failure> {
    let checks = plimsoll_suites::all();
    let mutants = mutants::of(&checks.iter().collect::<Vec<_>>());
    let found = mutants.iter().find(|mutant| mutant.fault.to_string() == text).map(|mutant| mutant.fault);
    found.ok_or_else(|| Failure::Usage(format!("there is no mutant {text}; reports/proofs lists them, one per line")))
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Of this process and of all that it has waited for.
fn processor_ms() -> Result<u64, Failure> {
    let mut total = 0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who).map_err(Failure::host)?;
        for time in [usage.user_time(), usage.system_time()] {
            total += time.tv_sec() * 1000 + time.tv_usec() / 1000;
        }
    }
    Ok(u64::try_from(total).unwrap_or_default())
}
