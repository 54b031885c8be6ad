//! A check that was renamed is found by its old id, too: in results, in expectations and on the command line.

use std::fs;

use crate::bench::Bench;
use crate::runtime_or_skip;

const OLD: &str = "lifecycle.kill/one-signal-is-one";
const NEW: &str = "lifecycle.kill/delivered-once";

#[test]
fn results_and_filters_with_old_ids_still_work() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let ran = bench.judge(&real, &["--filter", OLD, "--no-preflight", "--output", "new.json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let new = fs::read_to_string(bench.path("new.json")).unwrap();
    assert!(new.contains(NEW) && !new.contains(OLD));
    fs::write(bench.path("old.json"), new.replace(NEW, OLD)).unwrap();
    let compared = bench.plimsoll(&["compare", "old.json", "new.json", "--same-verdicts"]);
    assert_eq!(compared.code, 0, "{}", compared.stderr);
    for id in [OLD, NEW] {
        let replayed = bench.plimsoll(&["replay", "old.json", id]);
        assert_eq!(replayed.code, 0, "{}", replayed.stderr);
        assert!(replayed.stderr.contains(&format!("--replay {NEW}")), "{}", replayed.stderr);
    }
    let replayed = bench.judge(&real, &["--replay", OLD]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
}

#[test]
fn expectations_with_old_ids_still_count() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let entry =
        |verdict: &str| format!("[[expect]]\nchecks = [\"{OLD}\"]\nverdict = \"{verdict}\"\nreason = \"a test\"\n");
    for (verdict, code) in [("fail", 1), ("pass", 0)] {
        fs::write(bench.path("known.toml"), entry(verdict)).unwrap();
        let ran = bench.judge(&real, &["--filter", NEW, "--no-preflight", "--expect", "known.toml"]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
    }
    fs::write(bench.path("known.toml"), entry("fail")).unwrap();
    let updated = bench.plimsoll(&["expect", "update", "results.json", "--expect", "known.toml"]);
    assert!(updated.stderr.contains(&format!("removed {OLD}")), "{}", updated.stderr);
}
