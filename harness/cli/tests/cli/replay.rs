//! What a run says of trying a check again is true: the line, taken by a shell as it stands, gives the same verdict, and so does
//! `plimsoll replay` by the results alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::bench::{Bench, SIMPLEST};
use crate::runtime_or_skip;

/// Carries out a line of a shell in which `plimsoll` is a command.
fn shell(bench: &Bench, line: &str) -> Value {
    let beside = Path::new(env!("CARGO_BIN_EXE_plimsoll")).parent().unwrap();
    let path = format!("{}:{}", beside.display(), std::env::var("PATH").unwrap());
    let place = bench.path("elsewhere");
    fs::create_dir_all(&place).unwrap();
    let output = Command::new("/bin/sh").args(["-c", line]).current_dir(&place).env("PATH", path).output().unwrap();
    let results = fs::read(place.join("plimsoll-kept/results.json"));
    let results = results.unwrap_or_else(|_| panic!("{line}: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_slice(&results).unwrap()
}

fn red(results: &Value) -> Vec<&Value> {
    let checks = results["checks"].as_array().unwrap().iter();
    checks.filter(|check| ["fail", "warn", "timeout", "error"].contains(&check["verdict"].as_str().unwrap())).collect()
}

#[test]
fn every_replay_line_of_a_run_replays() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    // Tells of another release, hangs in one operation, and lies where a shell needs quotes.
    let body =
        format!("case \"$*\" in *features*) exit 1;; *resume*) exec sleep 100;; esac\nexec {} \"$@\"", real.display());
    bench.script("runtime", &body);
    let runtime = bench.path("it's a $runtime");
    fs::rename(bench.path("runtime"), &runtime).unwrap();
    let profile = include_str!("../../../engine/profiles/runc.toml");
    fs::write(bench.path("own profile"), profile).unwrap();
    let options =
        ["--spec", "1.0.2", "--timeout", "1", "--time-scale", "2", "--profile", "own profile", "--no-preflight"];
    let filters = ["--filter", "hooks.failure-by*", "--filter", "hooks.state*", "--filter", "compat.pause.several*"];
    let ran = bench.judge(&runtime, &[&options[..], &filters].concat());
    let red = red(&ran.results);
    for verdict in ["fail", "warn", "timeout"] {
        assert!(red.iter().any(|check| check["verdict"] == verdict), "none of {} got {verdict}", red.len());
    }
    for check in red {
        let line = check["evidence"]["replay"].as_str().unwrap();
        let again = shell(&bench, line);
        for member in ["id", "verdict", "findings"] {
            assert_eq!(
                without(&again["run"], &again["checks"][0][member]),
                without(&ran.results["run"], &check[member]),
                "{line}"
            );
        }
        assert_eq!(again["runtime"], ran.results["runtime"], "{line}");
    }
}

/// A member without the names that the run made.
fn without(run: &Value, member: &Value) -> String {
    let text = member.to_string().replace(run.as_str().unwrap(), "RUN");
    // The number of a check in its run, and times.
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[test]
fn results_are_enough_to_replay_from() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let runtime = bench.script("runtime", &format!("[ \"$3\" != delete ] && exec {} \"$@\"; exit 1", real.display()));
    let ran = bench.judge(&runtime, &["--filter", SIMPLEST, "--timeout", "3"]);
    assert_eq!(ran.verdict(SIMPLEST), "fail");
    let again = bench.plimsoll(&["replay", "results.json", SIMPLEST]);
    assert_eq!((again.code, &again.results), (1, &ran.results), "the results are as they were: {}", again.stderr);
    assert!(again.stderr.contains("--timeout 3 --replay lifecycle.simplest-container"), "{}", again.stderr);
    let other = bench.plimsoll(&["replay", "results.json", SIMPLEST, "--runtime", &real.to_string_lossy()]);
    assert_eq!(other.code, 0, "{}", other.stderr);
    // A release that mends it is told of.
    bench.script("runtime", &format!("exec {} \"$@\"", real.display()));
    let mended = bench.plimsoll(&["replay", "results.json", SIMPLEST]);
    assert_eq!(mended.code, 0, "{}", mended.stderr);
    assert!(mended.stderr.contains("has changed since that run"), "{}", mended.stderr);
}

#[test]
fn results_choose_nothing_but_what_is_judged_and_how() {
    let bench = Bench::new();
    let refused = |command: &[&str], mode: u32, words: &str| {
        let results = json!({
            "schema": "1.2", "plimsoll": "", "run": "", "started_at": 1, "duration_ms": 1, "cut_short": null, "command": command,
            "runtime": { "path": "/bin/true", "version": "", "sha256": "", "profile": "", "spec": "" },
            "host": { "kernel": "", "machine": "", "cgroups": "", "cgroup_view": "", "lsms": [], "missing_capabilities": [] },
            "checks": [{ "id": SIMPLEST, "section": "a", "axis": "spec", "clauses": [], "verdict": "pass", "duration_ms": 1.5,
                "reason": "", "findings": [], "evidence": null, "known": null }],
        });
        fs::write(bench.path("old.json"), results.to_string()).unwrap();
        fs::set_permissions(bench.path("old.json"), fs::Permissions::from_mode(mode)).unwrap();
        let ran = bench.plimsoll(&["replay", "old.json", SIMPLEST]);
        assert!(ran.code == 4 && ran.stderr.contains(words), "{} {}", ran.code, ran.stderr);
    };
    let foreign = "a command that plimsoll does not write";
    refused(&["run", "--output", "/tmp/x"], 0o644, foreign);
    refused(&["run", "--keep=/tmp/x"], 0o644, foreign);
    refused(&["run", "--within", "[\"x\"]"], 0o644, foreign);
    refused(&["vm", "--matrix", "x", "--", "run"], 0o644, foreign);
    refused(&["vm", "--", "prove", "run"], 0o644, foreign);
    refused(&["run", "--runtime", "/bin/true"], 0o666, "can be written by everybody");
    refused(&[], 0o644, "does not contain its command");
}
