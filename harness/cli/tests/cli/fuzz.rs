//! The search with random cases: it finds faulty runtimes and makes what shows them minimal, it is the same for the same
//! seed, and what it keeps can be tried again.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use serde_json::Value;

use crate::bench::Bench;

/// Wrong runtimes with one thing wrong, and a rule that must be what is found.
const WRONG: [(&str, &[&str]); 20] = [
    ("drops /linux/maskedPaths", &["linux.masked-paths"]),
    ("drops /linux/readonlyPaths", &["linux.readonly-paths"]),
    ("drops /linux/devices", &["linux.devices"]),
    ("drops /linux/sysctl", &["linux.sysctl"]),
    ("drops /hostname", &["config.hostname"]),
    ("drops /domainname", &["config.domainname"]),
    ("drops /process/env", &["process.env."]),
    ("drops /process/rlimits", &["process.rlimits."]),
    ("drops /process/user/umask", &["process.user.umask"]),
    ("drops /process/user/additionalGids", &["process.user.groups"]),
    ("drops the last of /process/args", &["process.args."]),
    ("drops the last of /process/capabilities/bounding", &["process.capabilities."]),
    ("drops the last of /linux/maskedPaths", &["linux.masked-paths"]),
    ("reads /process/user/uid as 0", &["process.user.", "namespaces.user.", "process.capabilities.", "mounts.effect."]),
    ("reads /process/user/gid as 0", &["process.user.", "namespaces.user."]),
    ("reads /process/cwd as \"/\"", &["process.cwd."]),
    ("drops /process/oomScoreAdj", &["process.oom-score-adj"]),
    ("drops /mounts/6/options/0", &["mounts."]),
    ("adds \"LEAK=1\" to /process/env", &["process.env."]),
    ("drops /linux/seccomp", &["seccomp."]),
];

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}

fn run(bench: &Bench, args: &[&str]) -> (Output, Value) {
    let output = bench.command(args).output().unwrap();
    let document = std::fs::read(bench.path("fuzz.json")).ok();
    let document = document.map_or(Value::Null, |text| serde_json::from_slice(&text).unwrap());
    (output, document)
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// A campaign of minutes: `cargo test -p plimsoll --test cli -- --ignored wrong_runtimes`.
#[test]
#[ignore = "takes minutes"]
fn wrong_runtimes_are_found_and_what_shows_them_is_small() {
    if !is_root() {
        return;
    }
    for (fault, rules) in WRONG {
        let bench = Bench::new();
        let started = Instant::now();
        let args = ["fuzz", "--seed", "1", "--kind", "bundle", "--cases", "150", "--fault", fault];
        let (output, document) = run(&bench, &args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), Some(1), "{fault}: {said}");
        let failures = document["failures"].as_array().unwrap();
        let of_rule =
            |failure: &&Value| rules.iter().any(|rule| failure["property"].as_str().unwrap().starts_with(rule));
        let found = failures.iter().find(of_rule).unwrap_or_else(|| panic!("{fault}: {failures:#?}"));
        assert!(found["size"].as_u64().unwrap() <= 3, "{fault}: {found:#}");
        assert!(found["shrunk_ms"].as_u64().unwrap() <= 20_000, "{fault}: {found:#}");
        println!("{fault}: {} edits in {} ms, {:?} in all", found["size"], found["shrunk_ms"], started.elapsed());
    }
}

#[test]
fn what_is_kept_is_tried_again_and_goes_into_the_corpus() {
    if !is_root() {
        return;
    }
    let bench = Bench::new();
    let fault = "drops /linux/maskedPaths";
    let (output, document) = run(&bench, &["fuzz", "--seed", "1", "--kind", "bundle", "--first", "--fault", fault]);
    assert_eq!(code(&output), Some(1));
    let failures = document["failures"].as_array().unwrap();
    let kept = failures.iter().find(|one| one["property"] == "linux.masked-paths").unwrap()["kept"].as_str().unwrap();
    let (output, _) = run(&bench, &["replay", kept, "--fault", fault]);
    assert_eq!(code(&output), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(code(&run(&bench, &["replay", kept]).0), Some(0), "the runtime itself keeps the property");
    assert_eq!(code(&run(&bench, &["corpus", "add", kept, "--name", "masked", "--corpus", "corpus"]).0), Some(0));
    assert_eq!(code(&run(&bench, &["corpus", "add", kept, "--name", "masked", "--corpus", "corpus"]).0), Some(4));
    let listed = run(&bench, &["corpus", "list", "--corpus", "corpus"]).0;
    assert!(String::from_utf8_lossy(&listed.stdout).contains("linux.masked-paths"));
    let (output, document) = run(&bench, &["fuzz", "--cases", "0", "--corpus", "corpus", "--fault", fault]);
    assert_eq!((code(&output), &document["corpus"]), (Some(1), &Value::from(1)), "{document:#}");
}

#[test]
fn the_same_seed_gives_the_same_cases() {
    if !is_root() {
        return;
    }
    let edits = || {
        let bench = Bench::new();
        let (output, document) = run(&bench, &["fuzz", "--seed", "5", "--cases", "12"]);
        assert_eq!(code(&output), Some(0), "{document:#}");
        (document["edits"].clone(), document["cases"].clone())
    };
    assert_eq!(edits(), edits());
}

#[test]
fn what_is_known_does_not_turn_a_search_red() {
    if !is_root() {
        return;
    }
    let bench = Bench::new();
    let known = "[[expect]]\nchecks = [\"linux.masked-paths/*\", \"fuzz.bundle/linux.masked-paths/*\"]\nverdict = \"fail\"\n\
                 reason = \"nothing is masked\"\n";
    std::fs::write(bench.path("known.toml"), known).unwrap();
    let args =
        ["fuzz", "--seed", "1", "--kind", "bundle", "--cases", "60", "--section", "linux", "--expect", "known.toml"];
    let (output, document) = run(&bench, &[&args[..], &["--fault", "drops /linux/maskedPaths"]].concat());
    assert_eq!(code(&output), Some(0), "{document:#}");
    let failures = document["failures"].as_array().unwrap();
    assert!(failures.iter().any(|failure| failure["known"]["reason"] == "nothing is masked"), "{document:#}");
}

#[test]
fn runtimes_are_compared() {
    if !is_root() {
        return;
    }
    let bench = Bench::new();
    let real = env!("CARGO_BIN_EXE_plimsoll");
    let plain = bench.script("plain", &format!("exec {real} runtime \"$@\""));
    let other = bench.script("other", &format!("umask 0; exec {real} runtime \"$@\""));
    let both = format!("{},{}", plain.display(), other.display());
    let (output, document) = run(&bench, &["fuzz", "--seed", "1", "--cases", "8", "--differential", &both]);
    assert_eq!(code(&output), Some(0), "{document:#} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(document["runtimes"].as_array().map(Vec::len), Some(2));
    assert_eq!(document["cases"]["bundle"], 8);
}

#[test]
fn mistakes_of_users_are_told_in_a_line() {
    let bench = Bench::new();
    for args in [
        &["fuzz", "--for", "soon"][..],
        &["fuzz", "--fault", "is not wrong"],
        &["fuzz", "--corpus", "nowhere"],
        &["fuzz", "--differential", "one"],
        &["replay", "nowhere"],
        &["corpus", "add", "nowhere"],
    ] {
        let output: Output = Command::output(&mut bench.command(args)).unwrap();
        assert_eq!(code(&output), Some(4), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(!Path::new(&bench.path("fuzz.json")).exists());
}
