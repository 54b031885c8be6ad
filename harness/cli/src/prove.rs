//! `plimsoll prove`: shows that each check turns red for the faults that it is there for.

use std::io::{self, Write};
use std::process::ExitCode;

use plimsoll_engine::check::Check;
use plimsoll_engine::company;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::schedule::Job;
use plimsoll_reports::model::{self, Verdict};

use crate::args::{Look, Prove};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::select::select;
use crate::session::Session;

/// What became of one pair of check and fault.
struct Trial {
    fault: Fault,
    result: model::Check,
}

/// Poses as each declared fault in front of the runtime and expects the check to see it.
pub fn prove(args: &Prove, look: Look) -> Result<ExitCode, Failure> {
    let checks = select(plimsoll_suites::all(), &args.filter)?;
    let session = Session::open(&args.subject, None)?;
    let sound = sound(&session, &checks, look)?;
    let faults: Vec<(&Check, Fault)> = sound.iter().flat_map(|check| faulty(check)).collect();
    let mut progress = Progress::new(faults.len(), look).quietly();
    let jobs = faults.iter().map(|&(check, fault)| Job::posed(check, fault)).collect();
    let results = session.run(jobs, &mut progress)?;
    progress.end();
    let trials: Vec<Trial> =
        results.into_iter().map(|(number, result)| Trial { fault: faults[number].1, result }).collect();
    drop(session);
    tell(&trials, checks.len() - sound.len()).map_err(Failure::host)
}

fn faulty(check: &Check) -> impl Iterator<Item = (&Check, Fault)> {
    check.proves().iter().map(move |&fault| (check, fault))
}

/// The checks that pass without a fault: only those can be turned red by one.
fn sound<'c>(session: &Session, checks: &'c [Check], look: Look) -> Result<Vec<&'c Check>, Failure> {
    let all: Vec<&Check> = checks.iter().collect();
    let jobs = company::together(&all).into_iter().map(Job::plain).collect();
    let mut progress = Progress::new(checks.len(), look).quietly();
    let results = session.run(jobs, &mut progress)?;
    progress.end();
    let passes =
        |check: &&Check| results.iter().any(|(_, result)| result.id == check.id && result.verdict == Verdict::Pass);
    Ok(checks.iter().filter(passes).collect())
}

/// Whether a verdict shows that the check saw the fault. An error of the harness does not.
fn killed(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Warn | Verdict::Timeout)
}

fn tell(trials: &[Trial], unsound: usize) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let survived: Vec<&Trial> = trials.iter().filter(|trial| !killed(trial.result.verdict)).collect();
    for trial in &survived {
        let fault = trial.fault;
        let reason = plimsoll_reports::text::printable(&trial.result.reason).to_string();
        writeln!(out, "survived  {}: a runtime that {fault} got `{}` {reason}", trial.result.id, trial.result.verdict)?;
    }
    let killed = trials.len() - survived.len();
    write!(out, "{killed} of {} faults were seen by the check that is there for them", trials.len())?;
    writeln!(out, "; {unsound} checks do not pass on this runtime and prove nothing")?;
    Ok(ExitCode::from(u8::from(!survived.is_empty())))
}
