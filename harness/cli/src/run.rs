//! `plimsoll run`: judges one runtime and reports.

use std::env;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plimsoll_engine::check::Check;
use plimsoll_engine::conduct::{Wishes, blank};
use plimsoll_engine::driver::quote;
use plimsoll_engine::host;
use plimsoll_engine::profile::Profile;
use plimsoll_engine::schedule::Plan;
use plimsoll_engine::settings::Settings;
use plimsoll_engine::workplace::{CgroupView, Workplace};
use plimsoll_reports::model::{self, Host, Report, Runtime, Verdict};
use plimsoll_reports::table::{Style, render};

use crate::args::{Run, View};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::select::{one, select};

/// Judges the runtime, writes `results.json`, prints the table.
pub fn run(args: &Run) -> Result<ExitCode, Failure> {
    let checks = match &args.replay {
        Some(id) => vec![one(plimsoll_suites::all(), id)?],
        None => select(plimsoll_suites::all(), &args.filter)?,
    };
    let profile = Profile::load(&args.profile).map_err(Failure::usage)?;
    let runtime = find_runtime(args.runtime.as_deref().unwrap_or(Path::new("")))?;
    require_root()?;
    let report = judge(args, &checks, profile, runtime)?;
    report.write(&args.output).map_err(Failure::host)?;
    show(args, &report);
    Ok(ExitCode::from(report.exit_code()))
}

fn judge(args: &Run, checks: &[Check], profile: Profile, runtime: PathBuf) -> Result<Report, Failure> {
    let started = Instant::now();
    let wishes = wishes(args, &runtime)?;
    let view = if args.cgroup_view == View::V1 { CgroupView::V1 } else { CgroupView::Host };
    let place = Workplace::set_up(view).map_err(Failure::host)?;
    let settings = Settings {
        runtime,
        profile,
        run: place.run.to_string(),
        dir: place.dir.clone(),
        probe: place.probe.clone(),
        timeout: Duration::from_secs(args.timeout),
        fault: None,
    };
    let host = host::facts(args.cgroup_view.name()).map_err(Failure::host)?;
    let subject = host::runtime(&settings)
        .map_err(|why| Failure::Usage(format!("cannot execute {}: {why}", settings.runtime.display())))?;
    let (checks, cut_short) = carry_out(args, checks, &settings, &host, &wishes)?;
    Ok(report(place.run.to_string(), subject, host, checks, cut_short, started))
}

fn report(
    run: String,
    runtime: Runtime,
    host: Host,
    checks: Vec<model::Check>,
    cut_short: Option<String>,
    started: Instant,
) -> Report {
    let took = started.elapsed();
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(took);
    Report {
        schema: model::SCHEMA.to_owned(),
        plimsoll: env!("CARGO_PKG_VERSION").to_owned(),
        run,
        runtime,
        host,
        started_at: began.as_secs(),
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        cut_short,
        checks,
    }
}

/// Set by Ctrl-C or a request to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn carry_out(
    args: &Run,
    checks: &[Check],
    settings: &Settings,
    host: &Host,
    wishes: &Wishes,
) -> Result<(Vec<model::Check>, Option<String>), Failure> {
    plimsoll_engine::sys::on_interrupt(&INTERRUPTED).map_err(Failure::host)?;
    let abilities = host::abilities(&settings.profile, host).map_err(Failure::host)?;
    let jobs = args.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    // A check makes several calls; one that hangs in each of them must still end.
    let limit = settings.timeout * 6;
    let interrupted = || INTERRUPTED.load(Ordering::Relaxed);
    let plan = Plan { settings, abilities: &abilities, jobs, limit, wishes, interrupted: &interrupted };
    let mut progress = Progress::new(checks.len());
    let (first, rest): (Vec<Check>, Vec<Check>) =
        checks.iter().cloned().partition(|check| check.id == plimsoll_suites::SIMPLEST);
    let first = if first.is_empty() && !args.no_preflight {
        vec![one(plimsoll_suites::all(), plimsoll_suites::SIMPLEST)?]
    } else {
        first
    };
    let mut results = plan.run(&first, |event| progress.note(&event)).map_err(Failure::host)?;
    let broken = results.iter().any(|check| !matches!(check.verdict, Verdict::Pass | Verdict::Skip));
    let mut cut_short = None;
    if broken && !args.no_preflight {
        let why = "the simplest container does not live through create, start, kill and delete";
        results.extend(rest.iter().map(|check| model::Check { reason: format!("not tried: {why}"), ..blank(check) }));
        cut_short = Some(format!("{why}; --no-preflight tries the other checks all the same"));
    } else {
        results.extend(plan.run(&rest, |event| progress.note(&event)).map_err(Failure::host)?);
    }
    progress.end();
    if interrupted() {
        cut_short = Some(format!("interrupted after {} of {} checks", results.len(), checks.len()));
    }
    results.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((results, cut_short))
}

fn wishes(args: &Run, runtime: &Path) -> Result<Wishes, Failure> {
    let keep = args.keep.clone().or_else(|| args.replay.as_ref().map(|_| PathBuf::from("plimsoll-kept")));
    let keep = keep.map(std::path::absolute).transpose().map_err(Failure::host)?;
    let mut replay: Vec<std::ffi::OsString> = vec!["plimsoll".into(), "run".into(), "--runtime".into(), runtime.into()];
    if args.profile != "runc" {
        replay.extend(["--profile".into(), args.profile.clone().into()]);
    }
    if args.cgroup_view != View::Host {
        replay.extend(["--cgroup-view".into(), args.cgroup_view.name().into()]);
    }
    replay.push("--replay".into());
    Ok(Wishes { keep, replay: quote(&replay) })
}

fn require_root() -> Result<(), Failure> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let why = "judging a runtime needs root: it makes mounts, cgroups and namespaces";
    Err(Failure::Host(format!("{why}; run it with sudo. `plimsoll run --list` works for everyone")))
}

/// The binary that a path or name means, absolute.
fn find_runtime(named: &Path) -> Result<PathBuf, Failure> {
    let absolute =
        std::path::absolute(named).map_err(|why| Failure::Usage(format!("runtime {}: {why}", named.display())))?;
    let is_name = named.components().count() == 1 && !named.to_string_lossy().contains('/');
    let in_path = env::var_os("PATH").filter(|_| is_name);
    let found = in_path.iter().flat_map(env::split_paths).map(|dir| dir.join(named)).find(|path| path.is_file());
    let path = found.unwrap_or(absolute);
    let meta =
        std::fs::metadata(&path).map_err(|why| Failure::Usage(format!("no runtime at {}: {why}", path.display())))?;
    let executable = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o111 != 0;
    match (meta.is_file(), executable) {
        (true, true) => Ok(path),
        (true, false) => Err(Failure::Usage(format!("{} is not executable; chmod +x it", path.display()))),
        (false, _) => Err(Failure::Usage(format!("{} is not a file; name the runtime's binary", path.display()))),
    }
}

#[expect(clippy::print_stdout, reason = "the report is what this program is asked for")]
fn show(args: &Run, report: &Report) {
    let color = std::io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if args.replay.is_some() {
        print!("{}", commands(report));
    }
    print!("{}", render(report, Style { color, width: None, verbose: args.verbose }));
}

/// The script that a replay has written, for the terminal.
fn commands(report: &Report) -> String {
    let kept = report.checks.iter().filter_map(|check| check.evidence.as_ref()?.kept.as_ref());
    let scripts = kept.map(|dir| Path::new(dir).join("replay.sh")).filter_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        Some(format!("{}:\n{}\n", path.display(), plimsoll_reports::text::printable(&text).replace("\\n", "\n")))
    });
    scripts.collect()
}
