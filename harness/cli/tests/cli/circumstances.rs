//! Faults that show under a circumstance alone are seen there, and nowhere else.

use std::path::{Path, PathBuf};

use crate::bench::Bench;
use crate::runtime_or_skip;

/// A runtime in front of which `config.json` is changed by `sed`, where it matches `when`.
fn forgetful(bench: &Bench, real: &Path, when: &str, sed: &str) -> PathBuf {
    let body = format!(
        "for word; do\n  config=$word/config.json\n  [ -f \"$config\" ] && grep -q '{when}' \"$config\" && sed -i '{sed}' \"$config\"\ndone\nexec {} \"$@\"",
        real.display()
    );
    bench.script("runtime", &body)
}

#[test]
fn a_flag_that_is_lost_in_a_user_namespace_alone_is_seen_there() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let runtime = forgetful(&bench, &real, "\"user\"[,}]", "s/\"nosuid\",//g");
    let ran = bench.judge(&runtime, &["--under", "plain", "--under", "userns", "--filter", "mounts.option.nosuid/*"]);
    let red: Vec<&str> = ran.red();
    assert!(!red.is_empty() && red.iter().all(|id| id.ends_with("@userns")), "{red:?}");
    assert_eq!(ran.code, 1);
    // The line that tries it again names the circumstance with the id.
    let again = bench.judge(&runtime, &["--replay", red[0], "--output", "results.json"]);
    assert_eq!(again.red(), [red[0]], "{}", again.stderr);
}

#[test]
fn a_caller_that_blocks_signals_is_seen_through_a_runtime_that_hands_them_on() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let under = ["--under", "plain", "--under", "dirty-caller", "--under", "run"];
    let ran = bench.judge(&real, &[&["--filter", "process.signals.clean/pipes"][..], &under].concat());
    assert_eq!(ran.verdict("process.signals.clean/pipes"), "pass", "{}", ran.stderr);
    assert_eq!(ran.verdict("process.signals.clean/pipes@run"), "pass", "{}", ran.stderr);
    // runc hands on what is blocked, and others do not: each has a verdict.
    assert_ne!(ran.verdict("process.signals.clean/pipes@dirty-caller"), "absent");
}

#[test]
fn what_an_expectation_says_of_the_plain_suite_is_excused_under_a_circumstance() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let runtime = forgetful(&bench, &real, "nosuid", "s/\"nosuid\",//g");
    let args = ["--under", "terminal", "--filter", "mounts.option.nosuid/*", "--expect", "known.toml"];
    let entry =
        |checks: &str| format!("[[expect]]\nchecks = [\"{checks}\"]\nverdict = \"fail\"\nreason = \"it forgets\"\n");
    let expecting = |checks: &str| {
        std::fs::write(bench.path("known.toml"), entry(checks)).unwrap();
        bench.judge(&runtime, &args).code
    };
    assert_eq!(expecting("mounts.option.nosuid/*"), 0);
    assert_eq!(expecting("mounts.option.nosuid/*@terminal"), 0);
    assert_eq!(expecting("mounts.option.nosuid/*@run"), 1);
    // What is expected here, and is not so, is unexpected; elsewhere it need not show here.
    let code = |checks: &str| {
        std::fs::write(bench.path("known.toml"), entry(checks)).unwrap();
        bench.judge(&real, &args).code
    };
    assert_eq!((code("mounts.option.nosuid/*"), code("mounts.option.nosuid/*@terminal")), (0, 1));
}

#[test]
fn circumstances_are_listed_and_an_unknown_one_is_an_error() {
    let bench = Bench::new();
    let ran = bench.plimsoll(&["run", "--under", "dirty-callr"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("dirty-caller"), "{}", ran.stderr);
    let listed = bench.command(&["run", "--list-circumstances"]).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("userns-host-net"));
    let none = bench.plimsoll(&["run", "--filter", "*@terminal"]);
    assert_eq!(none.code, 3);
    assert!(none.stderr.contains("--under terminal"), "{}", none.stderr);
}
