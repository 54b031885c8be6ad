//! `plimsoll prove`: injects faults into a runtime, and shows that the checks catch each of these mutants, and that neutral
//! variations of the runtime change no verdict.

mod hidden;
mod neutral;
mod pairs;
mod scope;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use globset::Glob;
use plimsoll_engine::batch;
use plimsoll_engine::check::Check;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::schedule::Job;
use plimsoll_reports::baseline;
use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::model::proof::{self, Explanation, Neutral, Outcome, Pair, Proof, Unsound};
use plimsoll_reports::model::{self, Verdict};
use plimsoll_suites::circumstances;
use plimsoll_suites::mutants::{self, Mutant};

use self::scope::Scope;
use crate::args::{DisplayOptions, Prove};
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, every, ready, say};
use crate::shared::progress::Progress;
use crate::shared::requirements;
use crate::shared::select::select;
use crate::shared::session::{Session, interrupted};

/// Results of checks, each with the number of its job.
type Results = Vec<(usize, model::Check)>;

/// Runs all mutants and neutral variations, writes `proof.json` and shows the result.
pub fn prove(args: &Prove, display: DisplayOptions) -> Result<ExitCode, Failure> {
    let began = SystemTime::now();
    let started = Instant::now();
    requirements::required()?;
    ready(&args.format, [args.output.as_path()])?;
    let before = args.baseline.as_deref().map(baseline::read).transpose().map_err(Failure::Usage)?;
    let whole = circumstances::judged(&args.under);
    let checks = select(whole.clone(), &args.filter)?;
    let all: Vec<&Check> = checks.iter().collect();
    let scope = Scope::of(&all, &whole);
    let session = Session::open(&args.subject, None)?;
    let First { verdicts, fairness, mut tried } = first(&session, &all, args.sample, display)?;
    let sound: Vec<&Check> = all.iter().copied().filter(|check| passes(&verdicts, check)).collect();
    tried.retain(|pair| sound.iter().any(|check| check.id == pair.check));
    let mut mutants: Vec<Mutant<'_>> = mutants::of(&sound).into_iter().filter(|it| scope.takes(it)).collect();
    let mut pairs = pairs::pairs(&mutants, tried, |jobs| run(&session, jobs, display))?;
    let unsettled = scope.unsettled(&mut mutants, &mut pairs);
    let red: Vec<&Check> = all.iter().copied().filter(|check| is_red(&verdicts, check)).collect();
    let mut explanations = explanations(&mutants)?;
    let hidden = hidden::explanations(&mutants, &red);
    let new = hidden.iter().filter(|it| explanations.iter().all(|known| known.mutant != it.mutant)).cloned();
    explanations.extend(new.collect::<Vec<_>>());
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut proof = Proof {
        schema: proof::SCHEMA.to_owned(),
        kind: proof::KIND.to_owned(),
        plimsoll: env!("CARGO_PKG_VERSION").to_owned(),
        run: session.id().to_owned(),
        runtime: session.runtime.clone(),
        host: session.host.clone(),
        started_at: seconds(began),
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        cut_short: interrupted().then(|| "interrupted".to_owned()),
        vacuous: vacuous(&sound, &pairs, &hidden),
        explanations,
        mutants: mutants.iter().map(described).collect(),
        pairs,
        unsound: verdicts.iter().filter(|check| check.verdict != Verdict::Pass).map(unsound).collect(),
        fairness,
        totals: proof::Totals::default(),
    };
    drop(session);
    proof.mutants.sort_by(|a, b| (&a.group, &a.id).cmp(&(&b.group, &b.id)));
    proof.totals = proof.counted();
    let written = proof.write(&args.output).map_err(Failure::host);
    let against = before.map(|before| baseline::compare(&before, &proof)).unwrap_or_default();
    let code = if against.lost.is_empty() || proof.cut_short.is_some() { proof.exit_code() } else { 1 };
    let shown = deliver(&args.format, &Documents { proofs: vec![proof], ..Documents::default() }, display);
    tell(&against, !args.filter.is_empty());
    scope::words(&unsettled, &all).iter().for_each(|line| say(line));
    every([written, shown])?;
    Ok(ExitCode::from(code))
}

/// What is known after the first jobs.
struct First {
    verdicts: Vec<model::Check>,
    fairness: Vec<Neutral>,
    /// The mutants of the checks that wait.
    tried: Vec<Pair>,
}

/// Runs the checks as they are, behind neutral runtimes, and those that wait behind their mutants. All side by side: a check
/// that waits for a second does so once, not once for each question about it.
fn first(session: &Session, all: &[&Check], sample: bool, display: DisplayOptions) -> Result<First, Failure> {
    let batches = batch::group(all);
    let (mut jobs, early) = (neutral::jobs(&batches, sample), pairs::early(all));
    let faults: Vec<Option<Fault>> = jobs.iter().map(|job| job.fault).collect();
    let asked = jobs.len();
    jobs.extend(early.iter().cloned());
    let (posed, rest): (Results, Results) =
        run(session, jobs, display)?.into_iter().partition(|(job, _)| *job >= asked);
    let tried = pairs::outcomes(&early, posed.into_iter().map(|(job, result)| (job - asked, result)).collect());
    let (verdicts, fairness) = neutral::compare(&faults, rest);
    Ok(First { verdicts, fairness, tried })
}

/// Runs jobs; the results with the number of their job, in order.
fn run(session: &Session, jobs: Vec<Job<'_>>, display: DisplayOptions) -> Result<Results, Failure> {
    let mut progress = Progress::new(jobs.iter().map(|job| job.checks.len()).sum(), display).quietly();
    let results = session.run(jobs, &mut progress)?;
    progress.end();
    Ok(results)
}

fn passes(verdicts: &[model::Check], check: &Check) -> bool {
    verdicts.iter().any(|result| result.id == check.id && result.verdict == Verdict::Pass)
}

fn described(mutant: &Mutant<'_>) -> proof::Mutant {
    let (declared, others) = (mutant.declared_by.len(), mutant.shown_by.len());
    proof::Mutant {
        id: mutant.fault.to_string(),
        group: mutant.fault.group().to_owned(),
        description: mutant.fault.to_string(),
        applies_to: format!("declared by {declared} checks, visible to {others} others"),
    }
}

fn unsound(check: &model::Check) -> Unsound {
    let said = check.findings.first().map(|finding| format!("{}: {}", finding.what, finding.observed));
    let reason = if check.reason.is_empty() { said.unwrap_or_default() } else { check.reason.clone() };
    Unsound { check: check.id.clone(), verdict: check.verdict, reason }
}

fn is_red(verdicts: &[model::Check], check: &Check) -> bool {
    let red = [Verdict::Fail, Verdict::Warn, Verdict::Timeout];
    verdicts.iter().any(|result| result.id == check.id && red.contains(&result.verdict))
}

/// The checks that pass and are not the killer of any mutant, but for those whose mutants change nothing on this runtime.
fn vacuous(sound: &[&Check], pairs: &[Pair], hidden: &[Explanation]) -> Vec<String> {
    let killers: BTreeSet<&str> =
        pairs.iter().filter(|pair| pair.outcome == Outcome::Killed).map(|pair| pair.check.as_str()).collect();
    let kills_none = sound.iter().filter(|check| !killers.contains(check.id.as_str()));
    kills_none.filter(|check| !hidden::hides_all(hidden, check, pairs)).map(|check| check.id.clone()).collect()
}

/// The reviewed list of mutants that change nothing that a check could see, as it applies here.
fn explanations(mutants: &[Mutant<'_>]) -> Result<Vec<Explanation>, Failure> {
    let mut found = Vec::new();
    for (pattern, reason) in mutants::equivalent() {
        let glob = Glob::new(pattern).map_err(|why| Failure::Host(format!("pattern of mutants {pattern}: {why}")))?;
        let glob = glob.compile_matcher();
        let ids = mutants.iter().map(|mutant| mutant.fault.to_string()).filter(|id| glob.is_match(id));
        found.extend(ids.map(|mutant| Explanation { mutant, reason: (*reason).to_owned() }));
    }
    Ok(found)
}

/// Says on standard error what is not as the baseline has it.
fn tell(against: &baseline::Difference, is_filtered: bool) {
    for mutant in &against.lost {
        say(&format!("plimsoll: a mutant of the baseline survives: a runtime that {mutant}"));
    }
    // With a filter that is what was asked for.
    let untried = if is_filtered { &[][..] } else { &against.untried };
    for (mutants, what) in [(untried, "were not tried"), (&against.new, "are new")] {
        if let [first, ..] = mutants {
            say(&format!(
                "plimsoll: warning: against the baseline, {} mutants {what}, such as: {first}",
                mutants.len()
            ));
        }
    }
}
