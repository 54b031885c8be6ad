//! Hostile runtimes: each is judged for what it is, in time, and leaves nothing behind.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bench::{Bench, Ran, SIMPLEST};
use crate::runtime_or_skip;

/// A shell script that does `special` for operation `op` and calls the real runtime for the others. The operation is
/// the third word: `--root DIR OP`.
pub fn wrap(bench: &Bench, real: &Path, op: &str, special: &str) -> Ran {
    let real = real.display();
    let body = format!("real={real}\n[ \"$3\" = {op} ] && {{ {special}\n}}\nexec $real \"$@\"");
    let runtime = bench.script("runtime", &body);
    let ran = bench.judge(&runtime, &["--filter", SIMPLEST, "--timeout", "2"]);
    assert_eq!(ran.results["checks"].as_array().map(Vec::len), Some(1), "{}", ran.stderr);
    ran.assert_nothing_left();
    ran
}

#[test]
fn a_wrapper_that_only_forwards_changes_nothing() {
    let real = runtime_or_skip!();
    let ran = wrap(&Bench::new(), &real, "none", "exit 99");
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (0, "pass"), "{:#}", ran.results);
}

/// A shell, a build tool or a service manager may have left a descriptor open, and a narrow umask.
#[test]
fn what_the_caller_was_started_with_does_not_reach_the_runtime() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let seen = bench.path("seen");
    let body = format!("ls /proc/$$/fd >>{0}; umask >>{0}\nexec {1} \"$@\"", seen.display(), real.display());
    let runtime = bench.script("runtime", &body);
    let call = format!(
        "umask 077; exec 9</dev/null; exec {} run --runtime {} --filter {SIMPLEST}",
        env!("CARGO_BIN_EXE_plimsoll"),
        runtime.display()
    );
    let called = Command::new("/bin/sh").args(["-c", &call]).current_dir(bench.dir.path()).output().unwrap();
    assert_eq!(called.status.code(), Some(0), "{called:?}");
    let seen = fs::read_to_string(seen).unwrap();
    let of_the_check: Vec<&str> = seen.lines().filter(|line| line.starts_with("00")).collect();
    assert!(!seen.lines().any(|line| line == "9"), "{seen}");
    assert_eq!(of_the_check.last(), Some(&"0022"), "{seen}");
}

#[test]
fn programs_that_are_no_runtimes() {
    let _real = runtime_or_skip!();
    for program in ["/bin/true", "/bin/false", "/bin/cat"] {
        let ran = Bench::new().judge(Path::new(program), &["--timeout", "2"]);
        assert_eq!(ran.code, 1, "{program}: {}", ran.stderr);
        assert!(ran.passed().is_empty(), "{program}: {:?}", ran.passed());
        assert!(ran.results["cut_short"].as_str().unwrap().contains("simplest container"), "{program}");
        ran.assert_nothing_left();
    }
}

#[test]
fn an_operation_that_never_ends_is_a_timeout() {
    let real = runtime_or_skip!();
    let hangs = &|op: &str| {
        let ran = wrap(&Bench::new(), &real, op, "exec sleep 1000");
        assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "timeout"), "{op}");
        assert_eq!(ran.results["checks"][0]["reason"], format!("`{op}` did not end within the timeout"));
    };
    // Side by side, for each takes as long as the deadline.
    std::thread::scope(|scope| {
        for op in ["create", "start", "state", "kill", "delete"] {
            scope.spawn(move || hangs(op));
        }
    });
}

#[test]
fn a_state_that_says_nothing_of_use_is_a_failure() {
    let real = runtime_or_skip!();
    let garbage = ["exit 0", "echo garbage; exit 0", "exec head -c 100000000 /dev/zero", "echo '[]'; exit 0"];
    for special in garbage {
        let ran = wrap(&Bench::new(), &real, "state", special);
        assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{special}");
    }
}

#[test]
fn a_crash_is_a_failure() {
    let real = runtime_or_skip!();
    for op in ["create", "start", "state", "kill", "delete"] {
        let ran = wrap(&Bench::new(), &real, op, "kill -SEGV $$");
        assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{op}");
    }
}

#[test]
fn a_daemon_that_stays_is_found_and_ended() {
    let real = runtime_or_skip!();
    let ran = wrap(&Bench::new(), &real, "delete", "$real \"$@\"; setsid sleep 1000 >/dev/null 2>&1 & exit 0");
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
    let findings = ran.results["checks"][0]["findings"].to_string();
    assert!(findings.contains("processes") && findings.contains("sleep"), "{findings}");
}

#[test]
fn a_bundle_that_the_runtime_deletes_or_edits_is_no_error_of_ours() {
    let real = runtime_or_skip!();
    // The words are: --root DIR create --bundle DIR …
    let ran = wrap(&Bench::new(), &real, "create", "rm -rf \"$5\"; exit 0");
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"));
    let ran = wrap(&Bench::new(), &real, "create", "sed -i s/probe/other/ \"$5/config.json\"");
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"));
}

#[test]
fn noise_on_standard_output_is_no_failure() {
    let real = runtime_or_skip!();
    let ran = wrap(&Bench::new(), &real, "create", "echo warning: something; echo more >&2");
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (0, "pass"), "{:#}", ran.results);
}

/// Does nothing, exits with 0, and says of every container what was hoped for.
const LIAR: &str = r#"for word; do id=$word; done
case "$3" in
state) printf '{"ociVersion":"1.0.2","id":"%s","status":"%s","pid":%s,"bundle":"%s"}' "$id" "$(cat "$2.status")" "$(cat "$2.pid")" "$(cat "$2.bundle")" ;;
create) sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >"$7"; echo $! >"$2.pid"; echo created >"$2.status"; echo "$5" >"$2.bundle" ;;
start) echo running >"$2.status" ;;
kill) kill -9 "$(cat "$2.pid")"; echo stopped >"$2.status" ;;
delete) [ -e "$2.status" ] ;;
esac
exit 0"#;

#[test]
fn a_liar_passes_no_check() {
    let _real = runtime_or_skip!();
    let bench = Bench::new();
    let runtime = bench.script("runtime", LIAR);
    let ran = bench.judge(&runtime, &["--no-preflight", "--timeout", "1", "--jobs", "8"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.passed().is_empty(), "a runtime that makes no container passes {:?}", ran.passed());
    ran.assert_nothing_left();
}

/// What a runtime takes from the harness is its failure, and no error of the harness.
#[test]
fn what_keeps_a_check_from_going_on_is_told() {
    let real = runtime_or_skip!();
    let harm = [
        ("mounts-everywhere", "mounts outside of the check"),
        ("unmounts-proc", "mounts outside of the check"),
        ("removes-the-run", "gone: "),
        // The runtime itself may be the first that finds no room.
        ("fills-the-disk", "observed"),
    ];
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/hostile");
    for (name, finding) in harm {
        let bench = Bench::new();
        let body = format!("REAL={}\n. {}", real.display(), fixtures.join(name).display());
        let runtime = bench.script("runtime", &body);
        let ran = bench.judge(&runtime, &["--filter", "process.cwd*", "--no-preflight", "--timeout", "5"]);
        let checks = ran.results["checks"].as_array().unwrap();
        let errors: Vec<_> = checks.iter().filter(|check| check["verdict"] == "error").collect();
        assert_eq!((ran.code, errors.len()), (1, 0), "{name}: {errors:#?}");
        assert!(checks.iter().any(|check| check["findings"].to_string().contains(finding)), "{name}: {checks:#?}");
        ran.assert_nothing_left();
    }
}
