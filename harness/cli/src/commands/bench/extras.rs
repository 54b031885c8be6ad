//! Measurements besides the phases: cost, scale, soak.

use plimsoll_bench::cost;
use plimsoll_bench::scale::ScaleTest;
use plimsoll_bench::scenario::Scenario;
use plimsoll_bench::site::Sites;
use plimsoll_bench::watch::Watch;
use plimsoll_reports::model::bench::Benchmark;

use super::Setup;
use crate::args::{Bench, What};
use crate::shared::failure::Failure;
use crate::shared::progress::Line;
use crate::shared::session::interrupted;

/// Measures what the user asked for, subject by subject. What one cannot do is a warning.
pub fn fill(
    found: &mut Benchmark,
    setup: &Setup,
    (args, scenario): (&Bench, &Scenario),
    place: &Sites<'_>,
    (watch, line): (&mut Watch, &Line),
) -> Result<(), Failure> {
    for (at, subject) in setup.subjects.iter().enumerate() {
        if interrupted() {
            return Ok(());
        }
        let scale_test = ScaleTest { subject, scenario, tag: format!("{}-{at}", scenario.name), place };
        if args.measure.contains(&What::Cost) {
            match cost::measure(subject, scenario, place, watch) {
                // Calls that were cut short cost nothing.
                _ if interrupted() => return Ok(()),
                Ok(cost) => found.costs.push(cost),
                Err(why) => found.warnings.push(format!("no cost of {}: {why}", subject.name)),
            }
        }
        if args.measure.contains(&What::Parallel) {
            found.curves.push(scale_test.parallel(watch, line).map_err(Failure::host)?);
        }
        if args.measure.contains(&What::Population) && !subject.floor {
            found.curves.push(scale_test.population(watch, line).map_err(Failure::host)?);
        }
        if args.measure.contains(&What::Soak) && !subject.floor {
            found.soaks.push(scale_test.soak(args.cycles, watch, line).map_err(Failure::host)?);
        }
    }
    Ok(())
}
