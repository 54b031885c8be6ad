//! `plimsoll bench`: measures runtimes against each other and against the floor.

mod extras;
mod gate;
mod subjects;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plimsoll_bench::experiment::{Kind, Plan, measure};
use plimsoll_bench::noise::doubts;
use plimsoll_bench::scenario::Scenario;
use plimsoll_bench::site::Sites;
use plimsoll_bench::watch::Watch;
use plimsoll_engine::isolate::pid_namespace::{Side, enter};
use plimsoll_reports::file::Document;
use plimsoll_reports::format::Documents;
use plimsoll_reports::model::bench::{self, Benchmark, Design};

use crate::args::{Bench, Cadence, DisplayOptions, Turn, What};
use crate::shared::failure::Failure;
use crate::shared::output::{deliver, every, ready, say};
use crate::shared::progress::Line;
use crate::shared::requirements;
use crate::shared::session::{INTERRUPTED, interrupted};
pub use subjects::Setup;

/// Measures, writes `bench.json`, shows the tables.
pub fn bench(args: &Bench, display: DisplayOptions) -> Result<ExitCode, Failure> {
    requirements::required()?;
    ready(&args.format, [args.output.as_path()])?;
    let scenarios = scenarios(args)?;
    let baseline = args.baseline.as_deref().map(Benchmark::read).transpose().map_err(Failure::usage)?;
    if args.gate.is_some() && baseline.is_none() && args.runtimes.runtime.len() < 2 {
        let why = "a gate compares two runtimes: give --runtime OLD --runtime NEW, or --baseline";
        return Err(Failure::Usage(why.to_owned()));
    }
    let pid_namespace = match enter(&INTERRUPTED).map_err(Failure::host)? {
        Side::Within(namespace) => namespace,
        Side::Outside(code) => return Ok(ExitCode::from(code)),
    };
    let mut setup = Setup::open(&args.runtimes, !args.no_floor, pid_namespace)?;
    let plan = plan(args);
    let mut found = setup.blank(design(args, &plan, &setup));
    if let Some(baseline) = &baseline {
        gate::comparable(baseline, &found)?;
    }
    let began = Instant::now();
    let filled = fill(&mut found, &setup, &scenarios, args, (&plan, display));
    found.warnings.extend(setup.harm_of(filled)?);
    found.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let written = found.write(&args.output).map_err(Failure::host);
    let unmeasured = unmeasured(&found);
    let verdict = gate::judge(args, &found, baseline.as_ref());
    let shown = deliver(&args.format, &Documents { benchmarks: vec![found], ..Documents::default() }, display);
    every([written, shown])?;
    let code = gate::answer(&verdict)?;
    Ok(if code == ExitCode::SUCCESS { unmeasured } else { code })
}

/// Exit code 2 where there is nothing to compare: not one cycle of a runtime succeeded, or the measurement was cut short.
fn unmeasured(found: &Benchmark) -> ExitCode {
    let mut code = ExitCode::from(if found.cut_short.is_some() { 2 } else { 0 });
    for scenario in &found.scenarios {
        for one in scenario.subjects.iter().filter(|one| one.phases.is_empty() && !one.mishaps.is_empty()) {
            say(&format!(
                "plimsoll: no turn of {} succeeded in {}, so there are no times of it",
                one.subject, scenario.name
            ));
            code = ExitCode::from(2);
        }
    }
    code
}

fn scenarios(args: &Bench) -> Result<Vec<Scenario>, Failure> {
    let names: Vec<&str> = match args.scenario.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] if args.bundle.is_empty() => vec!["default"],
        ["all"] => Scenario::names().collect(),
        names => names.to_vec(),
    };
    let known = || Scenario::names().collect::<Vec<_>>().join(", ");
    let named = names.into_iter().map(|name| {
        Scenario::named(name)
            .ok_or_else(|| Failure::Usage(format!("there is no scenario {name}; there are {}, all", known())))
    });
    let bundles = args.bundle.iter().map(|dir| {
        let dir = std::path::absolute(dir).map_err(Failure::usage)?;
        if dir.join("config.json").is_file() { Ok(Scenario::of_bundle(dir)) } else { Err(no_bundle(&dir)) }
    });
    named.chain(bundles).collect()
}

fn no_bundle(dir: &std::path::Path) -> Failure {
    Failure::Usage(format!("{} is not a bundle: it has no config.json", dir.display()))
}

fn plan(args: &Bench) -> Plan {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Plan {
        seed: args.seed.unwrap_or(u64::from(now.subsec_nanos())),
        kinds: args.turn.iter().map(|turn| kind(*turn)).collect(),
        quiet: if args.cadence == Cadence::Cold { Duration::from_millis(100) } else { Duration::ZERO },
        precision: args.precision.0,
        limit: if args.blocks.is_some() { Duration::MAX } else { Duration::from_secs(args.limit) },
        warm_up: 3,
        least: args.blocks.unwrap_or(20),
        most: args.blocks.unwrap_or(100_000),
    }
}

fn kind(turn: Turn) -> Kind {
    match turn {
        Turn::Lifecycle => Kind::Lifecycle,
        Turn::Run => Kind::Run,
    }
}

fn design(args: &Bench, plan: &Plan, setup: &Setup) -> Design {
    Design {
        seed: plan.seed,
        turns: args.turn.iter().map(|turn| format!("{turn:?}").to_lowercase()).collect(),
        cadence: if args.cadence == Cadence::Cold { "cold" } else { "hot" }.to_owned(),
        quiet_ms: u64::try_from(plan.quiet.as_millis()).unwrap_or(u64::MAX),
        precision: plan.precision,
        limit_s: args.limit,
        warm_up_blocks: plan.warm_up.into(),
        against: setup.subjects[0].name.clone(),
    }
}

fn fill(
    found: &mut Benchmark,
    setup: &Setup,
    scenarios: &[Scenario],
    args: &Bench,
    (plan, display): (&Plan, DisplayOptions),
) -> Result<(), Failure> {
    let place = Sites::new(&setup.sandbox).map_err(Failure::host)?;
    let mut watch = Watch::new().map_err(Failure::host)?;
    let line = Line::new(display);
    for scenario in scenarios {
        if args.measure.contains(&What::Phases) {
            let measured = measure(plan, scenario, &setup.subjects, &place, &mut watch, &line);
            let measured = measured.map_err(Failure::host)?;
            found.warnings.extend(doubts(&measured.noise).into_iter().map(|why| format!("{}: {why}", measured.name)));
            found.warnings.extend(measured.subjects.iter().filter_map(|one| unsteady(&measured.name, one)));
            found.scenarios.push(measured);
        }
        extras::fill(found, setup, (args, scenario), &place, (&mut watch, &line))?;
        if interrupted() {
            found.cut_short = Some("interrupted".to_owned());
            break;
        }
    }
    line.end();
    Ok(())
}

/// Says when warm-up was not enough, or when something else changed in the course of a scenario.
fn unsteady(scenario: &str, measured: &bench::Measured) -> Option<String> {
    let drift = measured.drift.filter(|drift| drift.low > 1.05 || drift.high < 0.95)?;
    let percent = (drift.value - 1.0) * 100.0;
    Some(format!("{scenario}: {} changed by {percent:+.0} % from the first third to the last", measured.subject))
}
