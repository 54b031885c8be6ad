//! A harness that is interrupted reports what is done; one that is killed leaves what `plimsoll clean` removes.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::attacks::assert_becomes;
use crate::bench::{Bench, SIMPLEST, assert_nothing_left, only_one_cleans};
use crate::runtime_or_skip;

/// Starts a run whose runtime makes a real container and then hangs in `start`; returns when it hangs there.
fn hanging(bench: &Bench, real: &Path) -> Child {
    hanging_in(bench, real, "\"$3\" = start", &[])
}

/// As [`hanging`], where a test of the shell says; the run is started by way of `before`.
fn hanging_in(bench: &Bench, real: &Path, here: &str, before: &[&str]) -> Child {
    let test = here;
    mkfifo(&bench.path("here"), Mode::S_IRWXU).unwrap();
    let (real, here) = (real.display(), bench.path("here"));
    let body = format!("[ {test} ] && {{ echo >{}; exec sleep 1000; }}\nexec {real} \"$@\"", here.display());
    let runtime = bench.script("runtime", &body).to_string_lossy().into_owned();
    let call = ["run", "--runtime", &runtime, "--filter", SIMPLEST, "--timeout", "60"];
    let mut command = bench.command_through(before, &call);
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
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
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

/// Nobody can tell any more whose doing it was: it is put back, and the user is told.
#[test]
fn what_the_host_was_changed_to_does_not_outlive_an_interrupted_run() {
    let real = runtime_or_skip!();
    // No other test changes this one.
    let setting = "/proc/sys/kernel/printk_ratelimit_burst";
    let before = fs::read_to_string(setting).unwrap();
    let other = if before.trim() == "6" { "7" } else { "6" };
    let bench = Bench::new();
    let child = hanging_in(&bench, &real, &format!("\"$3\" = start ] && echo {other} >{setting} && [ 1"), &[]);
    kill(pid(&child), Signal::SIGTERM).unwrap();
    let ran = bench.ran(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let told =
        format!("{setting} of the host changed during the run ({other}, was {}), which was interrupted", before.trim());
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    assert_becomes(setting, &before);
}

/// The version is asked for before the first check.
#[test]
fn a_first_call_that_hangs_is_interrupted_too() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let child = hanging_in(&bench, &real, "\"$1\" = --version", &[]);
    kill(pid(&child), Signal::SIGTERM).unwrap();
    let ran = bench.ran(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stderr, "plimsoll: interrupted before the first check\n");
}

/// In a container the harness is the init process, which no signal ends unless it has a handler.
#[test]
fn the_first_process_of_a_container_is_interrupted_too() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let child = hanging_in(&bench, &real, "\"$3\" = start", &["unshare", "--pid", "--fork", "--mount-proc"]);
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    kill(Pid::from_raw(children.trim().parse().unwrap()), Signal::SIGTERM).unwrap();
    let ran = bench.ran(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.results["cut_short"].as_str().unwrap().starts_with("interrupted"), "{:#}", ran.results);
    ran.assert_nothing_left();
}

/// A limit of the caller on the size of files is an error of the host with a reason, not the end by a signal.
#[test]
fn a_limit_on_file_sizes_is_an_error() {
    let _real = runtime_or_skip!();
    let bench = Bench::new();
    let call = ["run", "--runtime", "/usr/sbin/runc", "--filter", SIMPLEST];
    let ran =
        bench.ran(&bench.command_through(&["sh", "-c", "ulimit -f 1; exec \"$@\"", "sh"], &call).output().unwrap());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("plimsoll: cannot ") && ran.stderr.contains("File too large"), "{}", ran.stderr);
}

#[test]
fn what_a_killed_run_leaves_is_removed_by_clean() {
    let real = runtime_or_skip!();
    let _alone = only_one_cleans();
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
