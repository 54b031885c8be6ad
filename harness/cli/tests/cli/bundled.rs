//! The bundled runtime: judged when none is named, and there to be called by a command or a name.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::bench::{Bench, SIMPLEST};

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_verb_or_a_name_makes_the_program_the_runtime() {
    let bench = Bench::new();
    let by_verb = printed(&mut bench.command(&["runtime", "--version"]));
    assert!(by_verb.contains("spec: 1.3.0"), "{by_verb}");
    assert!(printed(&mut bench.command(&["runtime", "--help"])).contains("Usage: plimsoll runtime"));
    assert_eq!(printed(&mut bench.command(&["--quiet", "runtime", "--version"])), by_verb);
    symlink(env!("CARGO_BIN_EXE_plimsoll"), bench.path("plimsoll-runtime")).unwrap();
    assert_eq!(printed(Command::new(bench.path("plimsoll-runtime")).arg("--version")), by_verb);
}

#[test]
fn it_is_judged_when_no_runtime_is_named() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let bench = Bench::new();
    // A file that is alone, as it would be after a download.
    std::fs::copy(env!("CARGO_BIN_EXE_plimsoll"), bench.path("alone")).unwrap();
    let mut command = Command::new(bench.path("alone"));
    command.args(["run", "--filter", SIMPLEST]).current_dir(bench.dir.path());
    let ran = bench.ran(&command.env("TMPDIR", "/tmp").output().unwrap());
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (0, "pass"), "{}", ran.stderr);
    let runtime = &ran.results["runtime"];
    assert!(runtime["path"].as_str().unwrap().ends_with("/alone"), "{runtime}");
    assert!(runtime["version"].as_str().unwrap().starts_with("plimsoll-runtime "), "{runtime}");
    ran.assert_nothing_left();
}
