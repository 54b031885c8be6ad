//! The way of a gate: a runtime is made worse and better, and each time the exit code and the words follow.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::bench::Bench;
use crate::runtime_or_skip;

/// A check that sees a lost signal, and another of the same subject.
const WINCH: &str = "lifecycle.kill/delivers-winch";
const ONLY: &[&str] = &["--filter", "lifecycle.kill/delivers-{winch,hup}", "--timeout", "5"];
const CLAUSE: &str = "runtime.kill.delivers-signal";

/// A runtime that is asked for SIGWINCH and does nothing.
fn worse(bench: &Bench, real: &Path) -> PathBuf {
    // The last argument alone: an id may hold any digits.
    let deaf = "for last; do :; done\ncase \"$3 $last\" in \"kill WINCH\"|\"kill SIGWINCH\"|\"kill 28\") exit 0;; esac";
    let body = format!("{deaf}\nexec {} \"$@\"", real.display());
    bench.script("worse", &body)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command on the files of the bench; the exit code and all that it said.
fn subcommand(bench: &Bench, args: &[&str]) -> (i32, String) {
    let output = bench.command(args).output().unwrap();
    (output.status.code().unwrap_or(-1), stdout(&output) + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_runtime_made_worse_is_red_and_the_clause_is_named() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let worse = worse(&bench, &real).display().to_string();
    let args = [&["run", "--runtime", &worse][..], ONLY].concat();
    let (code, said) = subcommand(&bench, &args);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(WINCH) && said.contains(CLAUSE), "{said}");
}

#[test]
fn a_known_deviation_is_green_and_red_again_when_it_is_gone() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let worse = worse(&bench, &real);
    assert_eq!(bench.judge(&worse, ONLY).code, 1);
    let (code, said) = subcommand(&bench, &["expect", "update", "results.json", "--expect", "known.toml"]);
    assert!(code == 0 && said.contains(&format!("added   {WINCH}")), "{said}");
    let expecting = [ONLY, &["--expect", "known.toml"]].concat();
    assert_eq!(bench.judge(&worse, &expecting).code, 0);
    let better = bench.judge(&real, &expecting);
    assert_eq!((better.code, better.verdict(WINCH)), (1, "pass"), "{}", better.stderr);
    let (code, said) = subcommand(&bench, &["expect", "update", "results.json", "--expect", "known.toml"]);
    assert!(code == 0 && said.contains(&format!("removed {WINCH}")), "{said}");
    assert_eq!(bench.judge(&real, &expecting).code, 0);
}

#[test]
fn a_comparison_is_a_gate_too() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    assert_eq!(bench.judge(&real, &[ONLY, &["--output", "old.json"]].concat()).code, 0);
    assert_eq!(bench.judge(&worse(&bench, &real), &[ONLY, &["--output", "new.json"]].concat()).code, 1);
    let (code, said) = subcommand(&bench, &["compare", "old.json", "new.json"]);
    assert!(code == 1 && said.contains("Newly failing: 1") && said.contains(CLAUSE), "{said}");
    let (code, said) = subcommand(&bench, &["compare", "new.json", "old.json", "--format", "markdown"]);
    assert!(code == 0 && said.contains("Newly passing: 1"), "{said}");
    assert_eq!(subcommand(&bench, &["compare", "new.json", "old.json", "--same-verdicts"]).0, 1);
    assert_eq!(subcommand(&bench, &["compare", "old.json", "old.json", "--same-verdicts"]).0, 0);
}

#[test]
fn parts_make_the_same_whole_and_runtimes_stand_side_by_side() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let all = ["--filter", "lifecycle.kill/delivers-*", "--no-preflight"];
    for part in ["1", "2"] {
        let share = format!("hash:{part}/2");
        let ran = bench.judge(&real, &[&all[..], &["--partition", &share, "--output", part]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let (code, said) = subcommand(&bench, &["merge", "2", "1", "--format", "junit=junit.xml"]);
    assert!(code == 0 && said.contains("8 passed"), "{said}");
    assert!(fs::read_to_string(bench.path("junit.xml")).unwrap().contains("tests=\"8\""));
    let (code, said) = subcommand(&bench, &["merge", "1"]);
    assert!(code == 4 && said.contains("part 2 of 2 is missing"), "{said}");
    let worse = worse(&bench, &real).display().to_string();
    let real = real.to_string_lossy();
    let args = [&["run", "--runtime", &real, "--runtime", &worse][..], ONLY].concat();
    let (code, said) = subcommand(&bench, &args);
    assert!(code == 1 && said.contains("Where the runtimes differ: 1 of "), "{said}");
    assert!(bench.path("results.1.json").exists() && bench.path("results.2.json").exists());
}

#[test]
fn results_are_rendered_later_by_anyone() {
    let bench = Bench::new();
    fs::write(bench.path("r.json"), SAMPLE).unwrap();
    let (code, said) = subcommand(&bench, &["report", "r.json", "--format", "html=r.html", "--format", "tap"]);
    assert!(code == 0 && said.starts_with("TAP version 14\n1..1\nnot ok 1 - a.b/c\n"), "{said}");
    assert!(fs::read_to_string(bench.path("r.html")).unwrap().starts_with("<!DOCTYPE html>"));
    let (code, said) = subcommand(&bench, &["report", "r.json", "--format", "github"]);
    assert!(code == 0 && said.contains("::error title=runc 1.1.5%3A a.b/c fail::"), "{said}");
    let summary = bench.path("summary");
    let output =
        bench.command(&["report", "r.json", "--format", "github"]).env("GITHUB_STEP_SUMMARY", &summary).output();
    assert!(output.unwrap().status.success() && fs::read_to_string(summary).unwrap().contains("1 unexpected"));
    let (code, said) = subcommand(&bench, &["report", "r.json", "--color", "always"]);
    assert!(code == 0 && said.contains("\u{1b}[31mFAIL"), "{said}");
}

#[test]
fn mistakes_with_results_are_told_in_one_line() {
    let bench = Bench::new();
    fs::write(bench.path("r.json"), SAMPLE).unwrap();
    fs::write(bench.path("half.json"), &SAMPLE[..200]).unwrap();
    fs::write(bench.path("other.json"), SAMPLE.replace("a.b/c", "x.y/z")).unwrap();
    fs::write(bench.path("new.json"), SAMPLE.replace("\"1.1\"", "\"2.0\"")).unwrap();
    fs::write(bench.path("edited.json"), SAMPLE.replace("\"what\"", "\"wat\"")).unwrap();
    let rows: [(&[&str], i32, &str); 9] = [
        (&["report", "half.json"], 4, "parse \"half.json\": EOF while parsing"),
        (&["report", "new.json"], 4, "holds results of schema \"2.0\""),
        (&["report", "edited.json"], 4, "missing field `what`"),
        (&["report", "none.json"], 4, "No such file"),
        (&["report", "r.json", "--format", "html", "--format", "tap"], 4, "cannot both be printed"),
        (&["report", "r.json", "--format", "oci"], 4, "oci=DIR"),
        (&["compare", "r.json", "other.json"], 4, "1 checks are only in the old results, such as a.b/c"),
        (&["merge", "r.json", "r.json"], 4, "the check a.b/c is in r.json and in r.json"),
        (
            &[
                "submit",
                "r.json",
                "--vendor=v",
                "--name=n",
                "--website-url=w",
                "--documentation-url=d",
                "--description=x",
            ],
            4,
            "r.json: the results lack",
        ),
    ];
    for (args, expected, words) in rows {
        let (code, said) = subcommand(&bench, args);
        assert_eq!((code, said.lines().count()), (expected, 1), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
}

#[test]
fn the_program_describes_itself() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        let (code, said) = subcommand(&bench, &["completions", shell]);
        assert!(code == 0 && said.contains("verify-submission"), "{shell}");
    }
    assert_eq!(subcommand(&bench, &["man", "pages"]), (0, String::new()));
    assert!(fs::read_to_string(bench.path("pages/plimsoll-run.1")).unwrap().contains("\\-\\-partition"));
}

/// The results of one check that failed.
const SAMPLE: &str = r#"{"schema": "1.1", "plimsoll": "0.1.0", "run": "1-1",
"runtime": {"path": "/bin/runc", "version": "runc version 1.1.5", "sha256": "", "profile": "runc", "spec": "1.0.2"},
"host": {"kernel": "6.1", "machine": "x86_64", "cgroups": "v2", "cgroup_view": "host", "lsms": [], "missing_capabilities": []},
"started_at": 1753000000, "duration_ms": 7, "cut_short": null, "partition": null, "checks": [
{"id": "a.b/c", "section": "a", "axis": "spec", "clauses": [], "verdict": "fail", "duration_ms": 1.5, "reason": "",
"findings": [{"what": "x", "expected": "y", "observed": "z"}], "evidence": null, "known": null}]}"#;
