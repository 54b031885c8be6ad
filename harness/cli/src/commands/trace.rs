//! `plimsoll trace`: shows where the time of `create` and `start` goes.

use std::process::ExitCode;
use std::time::Instant;

use plimsoll_bench::scenario::Scenario;
use plimsoll_bench::site::{STAMP, STAY, Sites};
use plimsoll_bench::trace::trace as follow;
use plimsoll_bench::watch::Watch;
use plimsoll_engine::isolate::pid_namespace::{Side, enter};
use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::model::bench::{Benchmark, Design};

use crate::args::{DisplayOptions, Trace};
use crate::commands::bench::Setup;
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, every, ready};
use crate::shared::requirements;
use crate::shared::session::{INTERRUPTED, interrupted};

/// Traces each runtime once, writes `trace.json`, shows the steps.
pub fn trace(args: &Trace, display: DisplayOptions) -> Result<ExitCode, Failure> {
    requirements::required()?;
    ready(&args.format, [args.output.as_path()])?;
    let scenario = Scenario::named(&args.scenario)
        .ok_or_else(|| Failure::Usage(format!("there is no scenario {}", args.scenario)))?;
    let pid_namespace = match enter(&INTERRUPTED).map_err(Failure::host)? {
        Side::Within(namespace) => namespace,
        Side::Outside(code) => return Ok(ExitCode::from(code)),
    };
    let mut setup = Setup::open(&args.runtimes, false, pid_namespace)?;
    let mut found = setup.blank(design(&setup));
    let began = Instant::now();
    let filled = fill(&mut found, &setup, &scenario);
    found.warnings.extend(setup.harm_of(filled)?);
    found.cut_short = interrupted().then(|| "interrupted".to_owned());
    found.warnings.push("tracing stops the program twice at each system call, so all times are too long".to_owned());
    found.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let written = found.write(&args.output).map_err(Failure::host);
    let nothing = found.traces.is_empty();
    let cut_short = found.cut_short.clone();
    let why = cut_short.clone().or(found.warnings.first().cloned()).unwrap_or_default();
    let shown = deliver(&args.format, &Documents { benchmarks: vec![found], ..Documents::default() }, display);
    every([written, shown])?;
    if nothing || cut_short.is_some() { Err(Failure::Host(why)) } else { Ok(ExitCode::SUCCESS) }
}

/// Traces each subject. One that cannot be traced becomes a warning.
fn fill(found: &mut Benchmark, setup: &Setup, scenario: &Scenario) -> Result<(), Failure> {
    let place = Sites::new(&setup.sandbox).map_err(Failure::host)?;
    let mut watch = Watch::new().map_err(Failure::host)?;
    for (at, subject) in setup.subjects.iter().enumerate() {
        let program = if subject.floor { STAMP } else { STAY };
        let site = place.site(&format!("t{at}"), scenario, program).map_err(Failure::host)?;
        match follow(subject, &site, &mut watch) {
            Ok(traces) => found.traces.extend(traces),
            Err(_) if interrupted() => break,
            Err(why) => found.warnings.push(format!("{} cannot be traced: {why}", subject.name)),
        }
    }
    Ok(())
}

/// Once is enough to see where the time goes, and nothing is drawn.
fn design(setup: &Setup) -> Design {
    Design {
        seed: 0,
        cadence: "hot".to_owned(),
        turns: vec!["lifecycle".to_owned()],
        quiet_ms: 0,
        precision: 1.0,
        limit_s: 0,
        warm_up_blocks: 0,
        against: setup.subjects[0].name.clone(),
    }
}
