//! The whole start of a container against the floor: `run`, hot. The runtime is the one that `PLIMSOLL_RUNTIME` names, else
//! the bundled one of a release build.
#![expect(clippy::expect_used, reason = "a benchmark ends at the first surprise")]

#[expect(dead_code, reason = "the campaigns use the rest")]
#[path = "../examples/believable/field.rs"]
mod field;

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use field::Field;
use plimsoll_bench::phases::Turn;
use plimsoll_bench::scenario::Scenario;
use plimsoll_bench::site::{STAMP, Sites};
use plimsoll_bench::subject::floor;
use plimsoll_bench::watch::Watch;

fn start(criterion: &mut Criterion) {
    let field = Field::open(false, 0).expect("a place, which takes root");
    let beside = || env::current_exe().expect("a path").ancestors().nth(2).map(|dir| dir.join("plimsoll-runtime"));
    let runtime = env::var_os("PLIMSOLL_RUNTIME").map(PathBuf::from).or_else(beside).expect("a runtime");
    let bundled = field.subject("bundled", &runtime).expect("cargo build --release -p plimsoll-runtime");
    let floor = floor(&bundled.settings, &field.sandbox).expect("the floor");
    let (place, scenario) = (Sites::new(&field.sandbox).expect("cgroups"), Scenario::named("default"));
    let mut watch = Watch::new().expect("a watch");
    for (name, subject) in [("run by the bundled runtime", &bundled), ("run by the floor", &floor)] {
        let site = place.site(&subject.name, scenario.as_ref().expect("the default"), STAMP).expect("a bundle");
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|turns| {
                let turn = |_| Turn { subject, site: &site, watch: &mut watch }.run().expect("a run")[0].1;
                (0..turns).map(turn).sum::<Duration>()
            });
        });
    }
}

criterion_group!(benches, start);
criterion_main!(benches);
