//! `plimsoll run`: runs the checks against one or more runtimes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plimsoll_engine::batch;
use plimsoll_engine::check::Check;
use plimsoll_engine::execute::blank;
use plimsoll_engine::schedule::Job;
use plimsoll_foreign::read;
use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::ids::circumstance;
use plimsoll_reports::model::{self, Partition, Report, Verdict};
use plimsoll_suites::circumstances;

use crate::args::{DisplayOptions, Run, Subject};
use crate::shared::expectations::KnownDeviations;
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, every, made, print, ready};
use crate::shared::progress::Progress;
use crate::shared::requirements;
use crate::shared::select::{Part, first_of_each_subject, one, select};
use crate::shared::session::{Session, interrupted};

/// Judges each runtime, writes `results.json`, shows the report.
pub fn run(args: &Run, display: DisplayOptions) -> Result<ExitCode, Failure> {
    let subjects = subjects(args);
    requirements::required()?;
    args.kept().as_deref().map(made).transpose()?;
    ready(&args.format, subjects.iter().map(|(_, output)| output.as_path()))?;
    let known = KnownDeviations::read(&args.expect)?;
    let selected = selected(args)?;
    let whole = selected.len() as u64;
    let partition = args.partition.map(|Part { part, of }| Partition { part, of, whole });
    let checks: Vec<Check> =
        selected.into_iter().filter(|check| args.partition.is_none_or(|part| part.takes(&check.id))).collect();
    let mut documents = Documents::default();
    let mut written = Vec::new();
    for (subject, output) in subjects {
        let mut report = Report { partition, ..judge(args, &subject, &checks, display)? };
        // Part of the suite says nothing about expectations of other checks.
        let all = args.filter.is_empty()
            && args.under.is_empty()
            && !args.quick
            && args.replay.is_none()
            && partition.is_none();
        let all = all && report.cut_short.is_none();
        known.apply(&mut report, all);
        written.push(report.write(&output).map_err(Failure::host));
        if args.replay.is_some() && !display.quiet {
            print(&commands(&report))?;
        }
        documents.reports.push(report);
        if interrupted() {
            break;
        }
    }
    let code = overall(documents.reports.iter().map(Report::exit_code));
    written.push(deliver(&args.format, &documents, display));
    every(written)?;
    Ok(ExitCode::from(code))
}

/// The checks that the user means, whichever part of them shall run.
fn selected(args: &Run) -> Result<Vec<Check>, Failure> {
    Ok(match &args.replay {
        Some(id) => vec![one(circumstances::judged(&circumstance_of(id)), id)?],
        None if args.quick => first_of_each_subject(select(circumstances::judged(&args.under), &args.filter)?),
        None => select(circumstances::judged(&args.under), &args.filter)?,
    })
}

/// The circumstance that an id names.
fn circumstance_of(id: &str) -> Vec<String> {
    circumstance(id).into_iter().map(str::to_owned).collect()
}

/// Each runtime for itself, and where its results go.
fn subjects(args: &Run) -> Vec<(Subject, PathBuf)> {
    let runtimes = &args.subject.runtime;
    if runtimes.len() < 2 {
        return vec![(args.subject.clone(), args.output.clone())];
    }
    let numbered = runtimes.iter().enumerate();
    numbered
        .map(|(at, one)| {
            let subject = Subject { runtime: vec![one.clone()], ..args.subject.clone() };
            (subject, numbered_beside(&args.output, at + 1))
        })
        .collect()
}

/// `results.json` as `results.2.json`.
fn numbered_beside(path: &Path, number: usize) -> PathBuf {
    match path.extension() {
        Some(extension) => path.with_extension(format!("{number}.{}", extension.to_string_lossy())),
        None => path.with_extension(number.to_string()),
    }
}

/// The exit code of several runs: a broken runtime outweighs a broken host, and that a run without checks.
fn overall(codes: impl Iterator<Item = u8>) -> u8 {
    let codes: Vec<u8> = codes.collect();
    [1, 2, 3].into_iter().find(|code| codes.contains(code)).unwrap_or(0)
}

/// Judges one runtime.
fn judge(args: &Run, subject: &Subject, checks: &[Check], display: DisplayOptions) -> Result<Report, Failure> {
    let keep = args.kept();
    let preflight = !args.no_preflight && args.replay.is_none();
    let started = Instant::now();
    let session = Session::open(subject, keep.as_deref())?;
    // What is kept or replayed is the bundle of one check.
    let alone = args.alone || keep.is_some();
    let (mut results, cut_short) = carry_out(&session, checks, Manner { preflight, alone, display })?;
    if args.partition.is_some() {
        // The check that all others rest on runs with every part, and belongs to one of them.
        results.retain(|result| checks.iter().any(|check| check.id == result.id));
    }
    Ok(report(&session, results, cut_short, started.elapsed()))
}

/// Why the rest of a run is pointless when the first check is red.
const NO_CONTAINER: &str = "the simplest container cannot be created, started, killed and deleted";

/// How checks are run.
#[derive(Clone, Copy)]
struct Manner {
    /// Stop when the simplest container does not run.
    preflight: bool,
    /// Give each check containers of its own.
    alone: bool,
    display: DisplayOptions,
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
    let mut progress = Progress::new(first.len() + rest.len(), manner.display);
    let jobs = first.iter().map(|check| Job::plain(vec![check])).collect();
    let mut results: Vec<model::Check> =
        session.run(jobs, &mut progress)?.into_iter().map(|(_, check)| check).collect();
    let runs = results.iter().all(|check| matches!(check.verdict, Verdict::Pass | Verdict::Skip));
    let mut cut_short = None;
    if runs || !manner.preflight {
        let batches = if manner.alone { rest.iter().map(|check| vec![*check]).collect() } else { batch::group(&rest) };
        let jobs = batches.into_iter().map(Job::plain).collect();
        results.extend(session.run(jobs, &mut progress)?.into_iter().map(|(_, check)| check));
    } else {
        let reason = format!("not run: {NO_CONTAINER}");
        results.extend(rest.iter().map(|check| model::Check { reason: reason.clone(), ..blank(check) }));
        let hint = requirements::hint_of_view(&session.host);
        cut_short = Some(format!("{NO_CONTAINER}; {hint}--no-preflight runs the other checks anyway"));
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
        partition: None,
        command: session.replay_command().run(),
        checks,
    }
}

/// The script that a replay has written, for the terminal.
fn commands(report: &Report) -> String {
    let kept = report.checks.iter().filter_map(|check| check.evidence.as_ref()?.kept.as_ref());
    let scripts = kept.filter_map(|dir| {
        let path = Path::new(dir).join("replay.sh");
        let script = read::text(&path, read::LOG).ok()?;
        let lines: Vec<String> =
            script.lines().map(|line| plimsoll_reports::text::printable(line).to_string()).collect();
        Some(format!("{}:\n{}\n\n", path.display(), lines.join("\n")))
    });
    scripts.collect()
}
