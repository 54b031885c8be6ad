//! What is measured besides phases: cost, scale, soak.

use plimsoll_bench::cost;
use plimsoll_bench::place::Place;
use plimsoll_bench::scale::Ground;
use plimsoll_bench::scenario::Scenario;
use plimsoll_bench::watch::Watch;
use plimsoll_reports::model::bench::Benchmark;

use super::Contest;
use crate::args::{Bench, What};
use crate::failure::Failure;
use crate::progress::Line;
use crate::session::interrupted;

/// Measures what the user asked for, subject by subject. What one cannot do is a warning.
pub fn fill(
    found: &mut Benchmark,
    contest: &Contest,
    (args, scenario): (&Bench, &Scenario),
    place: &Place<'_>,
    (watch, line): (&mut Watch, &Line),
) -> Result<(), Failure> {
    for (at, subject) in contest.subjects.iter().enumerate() {
        if interrupted() {
            return Ok(());
        }
        let ground = Ground { subject, scenario, tag: format!("{}-{at}", scenario.name), place };
        if args.measure.contains(&What::Cost) {
            match cost::measure(subject, scenario, place, watch) {
                // Calls that were cut short cost nothing.
                _ if interrupted() => return Ok(()),
                Ok(cost) => found.costs.push(cost),
                Err(why) => found.warnings.push(format!("no cost of {}: {why}", subject.name)),
            }
        }
        if args.measure.contains(&What::Parallel) {
            found.curves.push(ground.parallel(watch, line).map_err(Failure::host)?);
        }
        if args.measure.contains(&What::Population) && !subject.floor {
            found.curves.push(ground.population(watch, line).map_err(Failure::host)?);
        }
        if args.measure.contains(&What::Soak) && !subject.floor {
            found.soaks.push(ground.soak(args.cycles, watch, line).map_err(Failure::host)?);
        }
    }
    Ok(())
}
