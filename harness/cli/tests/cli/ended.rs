//! A harness that is interrupted reports what is done; one that is killed leaves what `plimsoll clean` removes.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::bench::{Bench, SIMPLEST, assert_nothing_left};
use crate::runtime_or_skip;

/// Starts a run whose runtime makes a real container and then hangs in `start`; returns when it hangs there.
fn hanging(bench: &Bench, real: &Path) -> Child {
    mkfifo(&bench.path("here"), Mode::S_IRWXU).unwrap();
    let (real, here) = (real.display(), bench.path("here"));
    let body = format!("[ \"$3\" = start ] && {{ echo >{}; exec sleep 1000; }}\nexec {real} \"$@\"", here.display());
    let runtime = bench.script("runtime", &body).to_string_lossy().into_owned();
    let mut command = bench.command(&["run", "--runtime", &runtime, "--filter", SIMPLEST, "--timeout", "60"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The fifo opens for us when the runtime opens it: no sleep, no polling.
    fs::read_to_string(here).unwrap();
    child
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// The id of a run, from the names of its cgroups.
fn run_of(child: &Child) -> String {
    let prefix = format!("plimsoll-{:x}-", child.id());
    let mut names =
        fs::read_dir("/tmp").unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let name = names.find(|name| name.starts_with(&prefix));
    name.expect("the directory of the run").trim_start_matches("plimsoll-").to_owned()
}

#[test]
fn an_interrupted_run_reports_and_leaves_nothing() {
    let real = runtime_or_skip!();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let bench = Bench::new();
        let child = hanging(&bench, &real);
        kill(pid(&child), signal).unwrap();
        let ran = bench.ran(&child.wait_with_output().unwrap());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(
            ran.results["cut_short"].as_str().unwrap().starts_with("interrupted after 0 of 1"),
            "{:#}",
            ran.results
        );
        ran.assert_nothing_left();
    }
}

#[test]
fn what_a_killed_run_leaves_is_removed_by_clean() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let mut child = hanging(&bench, &real);
    let run = run_of(&child);
    let before = bench.plimsoll(&["clean", "--dry-run"]);
    assert!(!before.stderr.contains(&run), "a living run is not to be cleaned: {}", before.stderr);
    kill(pid(&child), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    let cleaned = bench.plimsoll(&["clean"]);
    assert_eq!(cleaned.code, 0, "{}", cleaned.stderr);
    assert!(cleaned.stderr.contains(&run), "{}", cleaned.stderr);
    assert_nothing_left(&run);
}
