//! `plimsoll run`: judges one runtime and reports.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plimsoll_engine::check::Check;
use plimsoll_engine::company;
use plimsoll_engine::conduct::blank;
use plimsoll_engine::schedule::Job;
use plimsoll_reports::expectations::Expectations;
use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::model::{self, Report, Verdict};

use crate::args::{Look, Run};
use crate::failure::Failure;
use crate::output::{agreed, deliver, print};
use crate::progress::Progress;
use crate::select::{first_of_each_subject, one, select};
use crate::session::{Session, interrupted};

/// Judges the runtime, writes `results.json`, shows the report.
pub fn run(args: &Run, look: Look) -> Result<ExitCode, Failure> {
    agreed(&args.format)?;
    let checks = match &args.replay {
        Some(id) => vec![one(plimsoll_suites::all(), id)?],
        None if args.quick => first_of_each_subject(select(plimsoll_suites::all(), &args.filter)?),
        None => select(plimsoll_suites::all(), &args.filter)?,
    };
    let expectations: Vec<Expectations> =
        args.expect.iter().map(|path| Expectations::read(path)).collect::<Result<_, _>>().map_err(Failure::usage)?;
    let keep = args.keep.clone().or_else(|| args.replay.as_ref().map(|_| PathBuf::from("plimsoll-kept")));
    let preflight = !args.no_preflight && args.replay.is_none();
    let started = Instant::now();
    let session = Session::open(&args.subject, keep.as_deref())?;
    // What is kept or replayed is the bundle of one check.
    let alone = args.alone || keep.is_some();
    let (checks, cut_short) = carry_out(&session, &checks, Manner { preflight, alone, look })?;
    let mut report = report(&session, checks, cut_short, started.elapsed());
    drop(session);
    // A part of the suite cannot tell whether an expectation of another part is stale.
    let whole = args.filter.is_empty() && !args.quick && args.replay.is_none() && report.cut_short.is_none();
    for note in expectations.iter().flat_map(|file| file.apply(&mut report)).filter(|_| whole) {
        eprintln!("plimsoll: {note}");
    }
    report.write(&args.output).map_err(Failure::host)?;
    if args.replay.is_some() && !look.quiet {
        print(&commands(&report))?;
    }
    let code = report.exit_code();
    deliver(&args.format, &Documents { reports: vec![report], proofs: vec![] }, look)?;
    Ok(ExitCode::from(code))
}

/// Why the rest of a run is pointless when the first check is red.
const NO_CONTAINER: &str = "the simplest container does not live through create, start, kill and delete";

/// How checks are run.
#[derive(Clone, Copy)]
struct Manner {
    /// Stop when the simplest container does not run.
    preflight: bool,
    /// Give each check containers of its own.
    alone: bool,
    look: Look,
}

/// Runs the checks: first the one that all others rest on, then, unless that is red, the others.
fn carry_out(
    session: &Session,
    checks: &[Check],
    manner: Manner,
) -> Result<(Vec<model::Check>, Option<String>), Failure> {
    let mut first: Vec<Check> = checks.iter().filter(|check| check.id == plimsoll_suites::SIMPLEST).cloned().collect();
    if first.is_empty() && manner.preflight {
        first.push(one(plimsoll_suites::all(), plimsoll_suites::SIMPLEST)?);
    }
    let rest: Vec<&Check> = checks.iter().filter(|check| check.id != plimsoll_suites::SIMPLEST).collect();
    let mut progress = Progress::new(first.len() + rest.len(), manner.look);
    let jobs = first.iter().map(|check| Job::plain(vec![check])).collect();
    let mut results: Vec<model::Check> =
        session.run(jobs, &mut progress)?.into_iter().map(|(_, check)| check).collect();
    let runs = results.iter().all(|check| matches!(check.verdict, Verdict::Pass | Verdict::Skip));
    let mut cut_short = None;
    if runs || !manner.preflight {
        let companies =
            if manner.alone { rest.iter().map(|check| vec![*check]).collect() } else { company::together(&rest) };
        let jobs = companies.into_iter().map(Job::plain).collect();
        results.extend(session.run(jobs, &mut progress)?.into_iter().map(|(_, check)| check));
    } else {
        let reason = format!("not tried: {NO_CONTAINER}");
        results.extend(rest.iter().map(|check| model::Check { reason: reason.clone(), ..blank(check) }));
        cut_short = Some(format!("{NO_CONTAINER}; --no-preflight tries the other checks all the same"));
    }
    progress.end();
    if interrupted() {
        cut_short = Some(format!("interrupted after {} of {} checks", results.len(), checks.len()));
    }
    results.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((results, cut_short))
}

fn report(session: &Session, checks: Vec<model::Check>, cut_short: Option<String>, took: Duration) -> Report {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(took);
    Report {
        schema: model::SCHEMA.to_owned(),
        plimsoll: env!("CARGO_PKG_VERSION").to_owned(),
        run: session.id().to_owned(),
        runtime: session.runtime.clone(),
        host: session.host.clone(),
        started_at: began.as_secs(),
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        cut_short,
        checks,
    }
}

/// The script that a replay has written, for the terminal.
fn commands(report: &Report) -> String {
    let kept = report.checks.iter().filter_map(|check| check.evidence.as_ref()?.kept.as_ref());
    let scripts = kept.filter_map(|dir| {
        let path = Path::new(dir).join("replay.sh");
        let script = std::fs::read_to_string(&path).ok()?;
        let lines: Vec<String> =
            script.lines().map(|line| plimsoll_reports::text::printable(line).to_string()).collect();
        Some(format!("{}:\n{}\n\n", path.display(), lines.join("\n")))
    });
    scripts.collect()
}
