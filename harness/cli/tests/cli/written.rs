//! Output: what cannot be written is told before the work, the table comes whatever else fails, and closed streams end nothing.

use std::fs;
use std::process::{Command, Output};

use crate::bench::{Bench, SIMPLEST};
use crate::runtime_or_skip;

#[test]
fn what_cannot_be_written_is_told_before_anything_is_tried() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    // It says when it is called.
    let runtime =
        bench.script("runtime", &format!("touch {}\nexec {} \"$@\"", bench.path("called").display(), real.display()));
    let runtime = runtime.to_string_lossy();
    fs::create_dir(bench.path("dir")).unwrap();
    fs::write(bench.path("plain"), "").unwrap();
    std::os::unix::fs::symlink("plain", bench.path("link")).unwrap();
    let judge: [&[&str]; 5] = [
        &["run", "--runtime", &runtime, "--filter", SIMPLEST],
        &["prove", "--runtime", &runtime, "--filter", SIMPLEST],
        &["fuzz", "--runtime", &runtime, "--cases", "1"],
        &["bench", "--runtime", &runtime, "--blocks", "1"],
        &["trace", "--runtime", &runtime],
    ];
    for subcommand in judge {
        for place in ["none/here.json", "dir", "link", "plain/below"] {
            let ran = bench.plimsoll(&[subcommand, &["--output", place]].concat());
            assert_eq!((ran.code, ran.stderr.lines().count()), (2, 1), "{subcommand:?} {place}: {}", ran.stderr);
            assert!(ran.stderr.contains(place), "{}", ran.stderr);
        }
    }
    for more in [["--format", "html=none/page.html"], ["--format", "oci=plain"], ["--keep", "plain"]] {
        let ran = bench.plimsoll(&[judge[0], &more].concat());
        assert_eq!(ran.code, 2, "{more:?}: {}", ran.stderr);
    }
    let mut summary = bench.command(&[judge[0], &["--format", "github"]].concat());
    let ran = bench.ran(&summary.env("GITHUB_STEP_SUMMARY", "/none/summary").output().unwrap());
    assert!(ran.code == 2 && ran.stderr.contains("/none/summary"), "{}", ran.stderr);
    assert!(!bench.path("called").exists(), "the runtime was called although nothing could be written");
    let names = fs::read_dir(bench.dir.path()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.starts_with('.') && !name.contains("json")), "something was left");
}

#[test]
fn the_table_comes_although_a_file_fails_at_the_end() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let real = real.to_string_lossy();
    let call = ["run", "--runtime", &real, "--filter", SIMPLEST, "--output", "/dev/full", "--format", "csv=/dev/full"];
    let output = bench.command(&[&call[..], &["--format", "junit=junit.xml"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("No space left").count(), 2, "{output:?}");
    assert!(bench.path("junit.xml").exists(), "the formats after it are written");
}

/// Calls it by way of a shell that does something to its streams.
fn with(bench: &Bench, streams: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("exec \"$0\" \"$@\" {streams}"), env!("CARGO_BIN_EXE_plimsoll")]).args(arguments);
    command.current_dir(bench.dir.path()).output().unwrap()
}

#[test]
fn streams_that_take_nothing_end_nothing() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let real = real.to_string_lossy();
    let run = ["run", "--runtime", &real, "--filter", SIMPLEST];
    for (streams, code) in
        [("2>&-", 0), ("2>/dev/full", 0), (">&-", 0), (">&- 2>&-", 0), (">/dev/full", 2), (">&- 2>&- <&-", 0)]
    {
        let output = with(&bench, streams, &run);
        assert_eq!(output.status.code(), Some(code), "{streams}: {output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{streams}: {output:?}");
        let results = fs::read_to_string(bench.path("results.json")).unwrap();
        assert!(results.contains(SIMPLEST) && results.contains("\"pass\""), "{streams}: {results}");
        fs::remove_file(bench.path("results.json")).unwrap();
    }
    // A reader that has gone.
    for arguments in [&["run", "--list"][..], &["--help"], &["clauses"], &["completions", "bash"], &["none-such"]] {
        let script = "\"$0\" \"$@\" 2>&1 | :; exec \"$0\" \"$@\" >/dev/null 2>/dev/full";
        let mut command = Command::new("/bin/sh");
        let output = command.args(["-c", script, env!("CARGO_BIN_EXE_plimsoll")]).args(arguments).output().unwrap();
        let expected = if arguments == ["none-such"] { 4 } else { 0 };
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{arguments:?}: {output:?}");
    }
}

/// Until the new results are whole, the old ones stay.
#[test]
fn results_that_are_not_whole_replace_nothing() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    fs::write(bench.path("results.json"), "precious").unwrap();
    let limit = with_limit(&bench, &["run", "--runtime", &real.to_string_lossy(), "--filter", "hooks.state*"]);
    assert_eq!(limit.status.code(), Some(2), "{limit:?}");
    assert_eq!(fs::read_to_string(bench.path("results.json")).unwrap(), "precious");
    assert!(String::from_utf8_lossy(&limit.stdout).contains("passed"), "{limit:?}");
    assert_eq!(fs::read_dir(bench.dir.path()).unwrap().count(), 1, "no other file is left");
}

/// Calls it in a directory that has room for little more than the old results.
fn with_limit(bench: &Bench, arguments: &[&str]) -> Output {
    let mut command = Command::new("unshare");
    let script = "mkdir small; mount -t tmpfs -o size=16k none small && cp results.json small && cd small && { \"$0\" \"$@\"; \
                  code=$?; cp results.json ..; ls -A | grep -vx results.json && code=99; exit $code; }";
    command.args(["--mount", "--propagation", "private", "/bin/sh", "-c", script]).arg(env!("CARGO_BIN_EXE_plimsoll"));
    let output = command.args(arguments).current_dir(bench.dir.path()).output().unwrap();
    fs::remove_dir(bench.path("small")).unwrap();
    output
}
