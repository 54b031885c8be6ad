//! Users' mistakes: one clear line, the right exit code, nothing left behind.

use std::fs;

use crate::bench::{Bench, SIMPLEST};
use crate::runtime_or_skip;

/// Runs, and expects this exit code and one line on standard error that contains each of these words.
fn mistake(bench: &Bench, args: &[&str], code: i32, words: &[&str]) {
    let ran = bench.plimsoll(args);
    assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{args:?}: no {word:?} in {}", ran.stderr);
    }
}

#[test]
fn a_runtime_that_is_not_there_or_no_program() {
    let bench = Bench::new();
    fs::write(bench.path("plain"), "").unwrap();
    mistake(&bench, &["run", "--runtime", "/none/such"], 4, &["/none/such", "No such file"]);
    mistake(&bench, &["run", "--runtime", "./plain"], 4, &["plain", "not executable"]);
    mistake(&bench, &["run", "--runtime", "/usr"], 4, &["/usr", "not a file"]);
}

#[test]
fn a_command_line_that_clap_refuses() {
    let bench = Bench::new();
    for wrong in [&["run", "--jobs", "0"][..], &["walk"], &["run", "--timeout", "soon"], &[]] {
        assert_eq!(bench.plimsoll(wrong).code, 4, "{wrong:?}");
    }
    assert_eq!(bench.plimsoll(&["--help"]).code, 0);
    assert_eq!(bench.plimsoll(&["run", "--help"]).code, 0);
}

#[test]
fn selections_that_select_nothing() {
    let bench = Bench::new();
    let run = |more: &[&'static str]| ["run", "--runtime", "/bin/true"].iter().chain(more).copied().collect::<Vec<_>>();
    mistake(&bench, &run(&["--filter", "no.such*"]), 3, &["no.such*", "--list"]);
    mistake(&bench, &run(&["--filter", "color=red"]), 4, &["color", "clause="]);
    mistake(&bench, &run(&["--filter", "a[b"]), 4, &["a[b"]);
    mistake(&bench, &run(&["--replay", "no.such"]), 4, &["no.such"]);
    mistake(&bench, &run(&["--replay", "simplest"]), 4, &["did you mean", SIMPLEST]);
}

#[test]
fn profiles_that_are_none() {
    let bench = Bench::new();
    fs::write(bench.path("p.toml"), "name = 3\n").unwrap();
    let run = |profile| ["run", "--runtime", "/bin/true", "--profile", profile];
    mistake(&bench, &run("p.toml"), 4, &["p.toml", "line 1"]);
    mistake(&bench, &run("none.toml"), 4, &["none.toml", "No such file"]);
}

#[test]
fn places_that_cannot_be_written() {
    let runtime = runtime_or_skip!();
    let bench = Bench::new();
    let runtime = runtime.to_string_lossy();
    let args = ["run", "--runtime", &runtime, "--filter", SIMPLEST];
    let output = bench.command(&args).env("TMPDIR", "/proc").output().unwrap();
    let ran = bench.ran(&output);
    assert_eq!((ran.code, ran.stderr.lines().count()), (2, 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot make /proc/plimsoll-"), "{}", ran.stderr);
    let full = bench.plimsoll(&[&args[..], &["--output", "/dev/full"]].concat());
    assert_eq!(full.code, 2, "{}", full.stderr);
    assert!(full.stderr.contains("/dev/full") && full.stderr.contains("No space left"), "{}", full.stderr);
}

#[test]
fn the_list_needs_no_runtime_and_filters_apply() {
    let bench = Bench::new();
    let list = |more: &[&str]| {
        let output = bench.command(&[&["run", "--list"], more].concat()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let all = list(&[]).lines().count();
    let some = list(&["--filter", "section=lifecycle"]);
    assert!(some.lines().count() < all && some.lines().all(|line| line.starts_with("lifecycle.")), "{some}");
    let by_clause = list(&["--filter", "clause=runtime.operations.*"]);
    assert!(by_clause.contains(SIMPLEST));
}

#[test]
fn a_profile_that_is_for_others_is_told() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let body = format!("[ \"$1\" = --version ] && exec echo runsc version 1; exec {} \"$@\"", real.display());
    let ran = bench.judge(&bench.script("odd", &body), &["--filter", "lifecycle.simplest-container"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("says its version is `runsc version 1`, and profile runc expects"), "{}", ran.stderr);
    let ran = bench.judge(&real, &["--filter", "lifecycle.simplest-container"]);
    assert!(!ran.stderr.contains("says its version"), "{}", ran.stderr);
}
