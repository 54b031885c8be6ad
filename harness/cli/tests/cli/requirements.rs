//! Hosts where nothing can be judged: one line says what is missing, before any check.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::bench::{Bench, Ran, SIMPLEST};
use crate::runtime_or_skip;

/// The commands that judge, measure or look.
const SUBCOMMANDS: &[&[&str]] = &[
    &["run", "--filter", SIMPLEST],
    &["prove", "--filter", SIMPLEST],
    &["fuzz", "--cases", "1"],
    &["bench"],
    &["trace"],
];

/// Calls a command by way of a shell in a mount namespace of its own, in which `first` was done.
fn after(first: &str, subcommand: &[&str]) -> Ran {
    let bench = Bench::new();
    let script = format!("{first} && exec \"$0\" \"$@\"");
    let before = ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", &script];
    let output = bench.command_through(&before, subcommand).output().unwrap();
    bench.ran(&output)
}

fn assert_one_line(ran: &Ran, words: &[&str]) {
    assert_eq!((ran.code, ran.stderr.lines().count()), (2, 1), "{}", ran.stderr);
    assert!(words.iter().all(|word| ran.stderr.contains(word)), "no {words:?} in {}", ran.stderr);
    assert!(ran.results.is_null(), "no results of a run that was none");
}

#[test]
fn without_proc_or_control_groups_nothing_is_tried() {
    let _real = runtime_or_skip!();
    for subcommand in SUBCOMMANDS {
        assert_one_line(&after("umount -l /proc", subcommand), &["/proc is not mounted", "mount -t proc"]);
        assert_one_line(&after("umount -R /sys/fs/cgroup", subcommand), &["needs cgroups", "plimsoll vm"]);
    }
    for subcommand in ["doctor", "clean"] {
        assert_one_line(&after("umount -l /proc", &[subcommand]), &["/proc is not mounted"]);
    }
}

#[test]
fn a_doctor_counts_what_a_run_would_run() {
    let _real = runtime_or_skip!();
    let said = |through: &[&str]| {
        let bench = Bench::new();
        let output = bench.command_through(through, &["doctor"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let bare = said(&[
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "/bin/sh",
        "-c",
        "umount -R /sys/fs/cgroup; exec \"$0\" \"$@\"",
    ]);
    assert!(bare.contains("checks   0 of") && bare.contains("needs cgroups"), "{bare}");
    assert!(said(&[]).lines().all(|line| !line.starts_with("checks   0 of")));
}

#[test]
fn anybody_but_root_is_told_so() {
    let _real = runtime_or_skip!();
    let bench = Bench::new();
    // A place that everybody reaches; the build directory may not be one.
    fs::set_permissions(bench.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(Path::new(env!("CARGO_BIN_EXE_plimsoll")), bench.path("plimsoll")).unwrap();
    let call = |subcommand: &[&str]| {
        let program = bench.path("plimsoll");
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).args(subcommand);
        command.current_dir(bench.dir.path()).output().unwrap()
    };
    for subcommand in SUBCOMMANDS {
        assert_one_line(&bench.ran(&call(subcommand)), &["needs root", "sudo"]);
    }
    let doctor = String::from_utf8(call(&["doctor"]).stdout).unwrap();
    assert!(doctor.contains("checks   0 of") && doctor.contains("needs root"), "{doctor}");
}
