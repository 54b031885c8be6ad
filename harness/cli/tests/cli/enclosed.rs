//! Whatever a runtime leaves, renames or signals while it is measured stays in the namespaces of the measurement, and a call that
//! hangs keeps nobody from ending a command.

use std::fs;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use plimsoll_engine::process::wait_readable;
use plimsoll_engine::sys::pidfd_open;

use crate::bench::{Bench, assert_nothing_left, only_one_cleans};
use crate::runtime_or_skip;

const MEASUREMENTS: [&[&str]; 2] = [&["bench", "--blocks", "2", "--no-floor"], &["trace"]];

#[test]
fn what_a_measured_runtime_does_to_its_surroundings_stays_there() {
    let real = runtime_or_skip!();
    for call in MEASUREMENTS {
        let bench = Bench::new();
        // A length of time that no other test waits for.
        let rest = format!("98{}.{}", call.len(), std::process::id());
        let own = fs::read_link("/proc/self/ns/pid").unwrap();
        let links = "readlink /proc/self/ns/pid /proc/self/ns/uts /proc/self/ns/ipc";
        // Where it is not isolated it does none of that: this is somebody's host.
        let rude = format!("kill -9 -1; hostname elsewhere; setsid sleep {rest} &");
        let body = format!(
            "case \"$*\" in *delete*)\n{links} >{}\n[ $(readlink /proc/self/ns/pid) = {} ] || {{ {rude} }} ;; esac\nexec {} \"$@\"",
            bench.path("namespaces").display(),
            own.display(),
            real.display()
        );
        let script = bench.script("rude", &body);
        let ran = bench.plimsoll(&[call, &["--runtime", script.to_str().unwrap()]].concat());
        assert_ne!(ran.code, -1, "it was ended by a signal: {}", ran.stderr);
        let theirs = fs::read_to_string(bench.path("namespaces")).unwrap();
        for (name, link) in ["pid", "uts", "ipc"].iter().zip(theirs.lines()) {
            let own = fs::read_link(format!("/proc/self/ns/{name}")).unwrap();
            assert!(link.starts_with(name) && own != Path::new(link), "{link}");
        }
        assert_ne!(fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim(), "elsewhere");
        assert!(!runs(&rest), "{call:?}: a process is left");
    }
}

/// Whether a process on this host has such an argument.
fn runs(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let words = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    words.into_iter().any(|words| words.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}

/// Calls `plimsoll` with a runtime that hangs in `delete` whatever it is sent; returns when it hangs there.
fn hanging(bench: &Bench, real: &Path, call: &[&str]) -> Child {
    let here = bench.path("here");
    mkfifo(&here, Mode::S_IRWXU).unwrap();
    let body = format!(
        "case \"$*\" in *delete*)\ntrap '' TERM INT HUP; echo \"$*\" >{}; while :; do sleep 1000; done;; esac\nexec {} \"$@\"",
        here.display(),
        real.display()
    );
    let script = bench.script("stubborn", &body);
    let mut command = bench.command(&[call, &["--timeout", "100", "--runtime", script.to_str().unwrap()]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The fifo opens for us when the runtime opens it: no sleep, no polling.
    fs::write(bench.path("words"), fs::read(here).unwrap()).unwrap();
    child
}

/// The end of a command after this signal. Far less time than a call may take is allowed for it.
fn after(signal: Signal, child: Child) -> Output {
    let began = Instant::now();
    kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    output
}

/// The run, by the container's name in the words of the call that hangs.
fn run_of(bench: &Bench) -> String {
    let words = fs::read_to_string(bench.path("words")).unwrap();
    let id = words.split_whitespace().find_map(|word| word.strip_prefix('p')).expect("a container");
    id.splitn(4, '-').take(3).collect::<Vec<_>>().join("-")
}

#[test]
fn a_measurement_that_hangs_is_interrupted() {
    let real = runtime_or_skip!();
    for (call, signal) in MEASUREMENTS.iter().zip([Signal::SIGINT, Signal::SIGHUP]) {
        let bench = Bench::new();
        let output = after(signal, hanging(&bench, &real, &[call, &["--output", "found.json"][..]].concat()));
        assert_eq!(bench.ran(&output).code, 2, "{call:?}");
        let found: serde_json::Value = serde_json::from_slice(&fs::read(bench.path("found.json")).unwrap()).unwrap();
        assert_eq!(found["cut_short"], "interrupted");
        let none = serde_json::json!([]);
        assert!(found["scenarios"].as_array().unwrap().iter().all(|one| one["subjects"][0]["mishaps"] == none));
        assert_eq!(found["run"], *run_of(&bench));
        assert_nothing_left(&run_of(&bench));
    }
}

#[test]
fn a_search_and_a_kept_case_that_hang_are_interrupted() {
    let real = runtime_or_skip!();
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/corpus/a-console-size-in-a-user-namespace");
    for (call, signal) in
        [(&["fuzz", "--seed", "1", "--kind", "bundle"][..], Signal::SIGINT), (&["replay", kept], Signal::SIGTERM)]
    {
        let bench = Bench::new();
        let ran = bench.ran(&after(signal, hanging(&bench, &real, call)));
        assert_eq!(ran.code, 2, "{call:?}: {}", ran.stderr);
        assert_nothing_left(&run_of(&bench));
    }
}

#[test]
fn what_a_killed_measurement_leaves_is_removed_by_clean() {
    let real = runtime_or_skip!();
    let _alone = only_one_cleans();
    let bench = Bench::new();
    let mut child = hanging(&bench, &real, MEASUREMENTS[0]);
    let run = run_of(&bench);
    assert!(!bench.plimsoll(&["clean", "--dry-run"]).stderr.contains(&run), "a living run is not to be cleaned");
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    let measures = pidfd_open(Pid::from_raw(children.trim().parse().unwrap())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        wait_readable(&[measures], Instant::now() + Duration::from_secs(20)).unwrap(),
        "it outlives its supervisor"
    );
    let cleaned = bench.plimsoll(&["clean"]);
    assert!(cleaned.code == 0 && cleaned.stderr.contains(&run), "{}", cleaned.stderr);
    assert_nothing_left(&run);
}
