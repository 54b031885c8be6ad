//! What the harness adds to a timed operation: its way of starting and waiting beside a bare `posix_spawn` and `waitpid`.
//! Before and after the clock it may take longer; this counts all of it.
#![expect(clippy::expect_used, reason = "a benchmark ends at the first surprise")]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll_bench::call::Call;
use plimsoll_bench::watch::Watch;
use plimsoll_engine::process::null;
use plimsoll_fixtures::payload::{Arch, exit};

fn overhead(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let program = dir.path().join("exit");
    std::fs::write(&program, exit(Arch::host(), 0)).expect("a program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("an executable");
    // The standard library uses posix_spawn for a command as plain as this.
    criterion.bench_function("posix_spawn", |bencher| {
        bencher.iter(|| Command::new(&program).stdin(Stdio::null()).status().expect("an end"));
    });
    let mut watch = Watch::new().expect("a watch");
    let argv = vec![OsString::from(&program)];
    criterion.bench_function("call of the harness", |bencher| {
        bencher.iter(|| {
            let call = Call::new(argv.clone(), &[], Path::new("/")).expect("a call");
            let fds = [null().expect("null"), null().expect("null"), null().expect("null")];
            let started = call.begin(&fds).expect("a child");
            watch.end_of(started.pid, Instant::now() + Duration::from_secs(9)).expect("an end")
        });
    });
}

criterion_group!(benches, overhead);
criterion_main!(benches);
