//! Benchmarks and traces. No test looks at a time: what is looked at is what counts as one.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::bench::{Bench, Ran, assert_nothing_left};

/// Measures as fast as can be; `bench.json` afterwards.
fn measure(bench: &Bench, more: &[&str]) -> (Ran, Value) {
    let quick = ["bench", "--cadence", "hot", "--blocks", "2", "--output", "bench.json"];
    let ran = bench.plimsoll(&[&quick, more].concat());
    let found = fs::read(bench.path("bench.json")).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    (ran, found)
}

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}

fn phase<'v>(found: &'v Value, subject: usize, name: &str) -> Option<&'v Value> {
    let phases = found["scenarios"][0]["subjects"][subject]["phases"].as_array()?;
    phases.iter().find(|phase| phase["name"] == name)
}

#[test]
fn every_phase_of_the_bundled_runtime_and_the_floor_is_measured() {
    if !is_root() {
        return;
    }
    let bench = Bench::new();
    let (ran, found) = measure(&bench, &["--format", "csv=samples.csv", "--format", "html=page.html"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for name in ["create", "start", "state", "exec", "kill-to-exit", "delete", "whole", "run"] {
        assert_eq!(phase(&found, 0, name).unwrap()["blocks"], json!([0, 1]), "{name}");
    }
    assert_eq!(phase(&found, 1, "run").unwrap()["blocks"], json!([0, 1]));
    assert_eq!(phase(&found, 1, "create"), None);
    assert_eq!(fs::read_to_string(bench.path("samples.csv")).unwrap().lines().count(), 1 + 2 * 9);
    assert!(fs::read_to_string(bench.path("page.html")).unwrap().contains("<svg"));
    assert_nothing_left(found["run"].as_str().unwrap());
}

#[test]
fn what_fails_or_only_claims_to_be_done_has_no_times() {
    if !is_root() {
        return;
    }
    for (body, kind) in [("exit 1", "failed"), ("exit 0", "wrong")] {
        let bench = Bench::new();
        let script = bench.script("broken", body);
        let (ran, found) = measure(&bench, &["--runtime", script.to_str().unwrap()]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("no turn of broken succeeded"), "{}", ran.stderr);
        let subject = &found["scenarios"][0]["subjects"][0];
        assert_eq!(subject["phases"], json!([]));
        let mishaps = subject["mishaps"].as_array().unwrap();
        assert!(!mishaps.is_empty() && mishaps.iter().all(|mishap| mishap["kind"] == kind), "{mishaps:?}");
        assert_nothing_left(found["run"].as_str().unwrap());
    }
}

/// A copy of the benchmark in which every sample took so long.
fn with_samples(found: &Value, ms: f64, path: &Path) {
    let mut old = found.clone();
    for subject in old["scenarios"][0]["subjects"].as_array_mut().unwrap() {
        for phase in subject["phases"].as_array_mut().unwrap() {
            let samples = vec![ms; phase["blocks"].as_array().unwrap().len()];
            phase["samples_ms"] = json!(samples);
        }
    }
    fs::write(path, old.to_string()).unwrap();
}

#[test]
fn a_gate_is_red_only_for_what_became_slower_on_the_same_machine() {
    if !is_root() {
        return;
    }
    let bench = Bench::new();
    let (_, found) = measure(&bench, &["--no-floor"]);
    for (ms, code) in [(1e-6, 1), (1e6, 0)] {
        with_samples(&found, ms, &bench.path("old.json"));
        let (ran, _) = measure(&bench, &["--no-floor", "--baseline", "old.json", "--gate", "5%"]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
    }
    let mut elsewhere = found.clone();
    elsewhere["machine"]["id"] = "another".into();
    fs::write(bench.path("old.json"), elsewhere.to_string()).unwrap();
    let (ran, _) = measure(&bench, &["--no-floor", "--baseline", "old.json"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("machine was \"another\""), "{}", ran.stderr);
}

#[test]
fn mistakes_are_answered_before_anything_is_measured() {
    let bench = Bench::new();
    for (arguments, answer) in [
        (&["bench", "--scenario", "none"][..], "there is no scenario none; there are default, minimal"),
        (&["bench", "--bundle", "/nonexistent"], "is not a bundle: it has no config.json"),
        (&["bench", "--gate", "5%"], "a gate compares two runtimes"),
        (&["bench", "--precision", "many"], "not a share: \"many\""),
    ] {
        let ran = bench.plimsoll(arguments);
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        assert!(ran.stderr.contains(answer), "{}", ran.stderr);
    }
}

#[test]
fn a_trace_has_the_steps_of_a_container() {
    if !is_root() {
        return;
    }
    let bench = Bench::new();
    let ran = bench.plimsoll(&["trace", "--quiet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found: Value = serde_json::from_slice(&fs::read(bench.path("trace.json")).unwrap()).unwrap();
    let steps = found["traces"][0]["steps"].as_array().unwrap();
    for name in ["namespaces", "cgroups", "mounts", "exec"] {
        assert!(steps.iter().any(|step| step["name"] == name), "{name}: {steps:?}");
    }
    let share: f64 = steps.iter().map(|step| step["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-6, "{share}");
    assert_nothing_left(found["run"].as_str().unwrap());
}
