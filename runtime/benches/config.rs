//! Reading a configuration: what every `create` and `run` begins with. It is the one that `spec` writes.
#![expect(clippy::expect_used, reason = "a benchmark ends at the first surprise")]

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll_runtime::config::Config;
use plimsoll_runtime::operation::spec::spec;

fn parse(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    spec(dir.path(), false).expect("a configuration");
    let path = dir.path().join("config.json");
    criterion.bench_function("read a configuration", |bencher| {
        bencher.iter(|| Config::load(&path).expect("a sound configuration"));
    });
}

criterion_group!(benches, parse);
criterion_main!(benches);
