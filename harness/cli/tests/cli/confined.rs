//! Runtimes that misuse control groups, and that take more than their share: each check stands in groups of its own, with limits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::bench::{Bench, Ran, SIMPLEST};
use crate::runtime_or_skip;

/// A script for which each hierarchy of control groups is `$groups`, and which does `special` for operation `op` before it calls
/// the real runtime. The operation is the third word: `--root DIR OP`.
fn runtime(bench: &Bench, real: &Path, op: &str, special: &str) -> PathBuf {
    let body = format!(
        "groups=$(grep -E ' - cgroup2? ' /proc/self/mountinfo | cut -d' ' -f5)\n[ \"$3\" = {op} ] && {{ {special}\n}}\nexec {} \"$@\"",
        real.display()
    );
    bench.script("runtime", &body)
}

fn judged(bench: &Bench, real: &Path, op: &str, special: &str) -> Ran {
    let ran = bench.judge(&runtime(bench, real, op, special), &["--filter", SIMPLEST, "--timeout", "100"]);
    assert_eq!(ran.results["checks"].as_array().map(Vec::len), Some(1), "{}", ran.stderr);
    ran.assert_nothing_left();
    ran
}

fn findings(ran: &Ran) -> String {
    ran.results["checks"][0]["findings"].to_string()
}

fn reason(ran: &Ran) -> &str {
    ran.results["checks"][0]["reason"].as_str().unwrap_or_default()
}

/// The groups of this name on the host, in all hierarchies.
fn named(name: &str) -> String {
    let found = Command::new("find").args(["/sys/fs/cgroup", "-name", name]).output().unwrap();
    String::from_utf8(found.stdout).unwrap()
}

/// A name that no other test has.
fn name(of: &str) -> String {
    format!("{of}-{}", std::process::id())
}

/// Where the hierarchies are mounted.
fn hierarchies() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let of_groups = mounts.lines().filter(|line| line.contains(" - cgroup ") || line.contains(" - cgroup2 "));
    of_groups.map(|line| PathBuf::from(line.split(' ').nth(4).unwrap())).collect()
}

#[test]
fn a_group_of_any_name_is_found_in_each_hierarchy() {
    let real = runtime_or_skip!();
    let (bench, name) = (Bench::new(), name("somebody"));
    let ran = judged(&bench, &real, "delete", &format!("for dir in $groups; do mkdir $dir/{name}; done"));
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
    assert_eq!(findings(&ran).matches(&format!("/{name}\"")).count(), hierarchies().len(), "{}", findings(&ran));
    assert_eq!(named(&name), "");
}

#[test]
fn a_group_beside_those_of_containers_is_found() {
    let real = runtime_or_skip!();
    let (bench, name) = (Bench::new(), name("beside"));
    let ran = judged(
        &bench,
        &real,
        "delete",
        &format!("for dir in $groups; do mkdir $dir/{name}; mkdir $dir/{name}/deep; done"),
    );
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
    assert_eq!(findings(&ran).matches(&format!("/{name}\"")).count(), hierarchies().len(), "{}", findings(&ran));
    assert_eq!(named(&name), "");
}

/// The directory that holds the hierarchies of version 1 is one for the whole host.
#[test]
fn a_file_beside_the_hierarchies_does_not_reach_the_host() {
    let real = runtime_or_skip!();
    let (bench, name) = (Bench::new(), name("file"));
    let made = bench.path("made");
    let special = format!(
        "for dir in $groups; do touch $(dirname $dir)/{name}; done 2>/dev/null; find /sys/fs/cgroup -name {name} >{}",
        made.display()
    );
    let ran = judged(&bench, &real, "create", &special);
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (0, "pass"), "{:#}", ran.results);
    let shared = hierarchies().iter().any(|dir| dir.starts_with("/sys/fs/cgroup/"));
    assert_eq!(!fs::read_to_string(made).unwrap().is_empty(), shared, "the runtime could write beside the hierarchies");
    assert_eq!(named(&name), "");
}

/// As Docker does, which makes groups of its own whenever it likes.
#[test]
fn what_others_make_meanwhile_is_not_the_runtimes() {
    const CHECK: &str = "lifecycle.delete/leaves-no-other-cgroup";
    let real = runtime_or_skip!();
    let (bench, name) = (Bench::new(), name("of-others"));
    let [here, go] = ["here", "go"].map(|fifo| bench.path(fifo));
    [&here, &go].into_iter().for_each(|fifo| mkfifo(fifo, Mode::S_IRWXU).unwrap());
    let wait = format!("echo >{}; read line <{}", here.display(), go.display());
    let runtime = runtime(&bench, &real, "delete", &wait).to_string_lossy().into_owned();
    let mut run = bench.command(&["run", "--runtime", &runtime, "--filter", CHECK, "--no-preflight"]);
    let child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut made = Vec::new();
    for life in 0..3 {
        // Each opens when the other side does: no sleep, no polling.
        fs::read_to_string(&here).unwrap();
        let dirs = hierarchies().into_iter().map(|top| top.join(format!("plimsoll-{name}-{life}")));
        made.extend(dirs.filter(|dir| fs::create_dir(dir).is_ok()));
        fs::write(&go, "\n").unwrap();
    }
    let ran = bench.ran(&child.wait_with_output().unwrap());
    made.iter().for_each(|dir| fs::remove_dir(dir).unwrap());
    assert!(!made.is_empty());
    assert_eq!((ran.code, ran.verdict(CHECK)), (0, "pass"), "{:#}", ran.results);
    ran.assert_nothing_left();
}

/// What it starts there is found all the same, and ended.
#[test]
fn the_root_that_a_runtime_can_move_to_is_the_checks() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let special = format!(
        "for dir in $groups; do echo $$ >$dir/cgroup.procs; done 2>/dev/null; cat /proc/$$/cgroup >{}; exec sleep 1000",
        bench.path("seen").display()
    );
    let ran = bench.judge(&runtime(&bench, &real, "state", &special), &["--filter", SIMPLEST, "--timeout", "2"]);
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "timeout"), "{:#}", ran.results);
    ran.assert_nothing_left();
    let seen = fs::read_to_string(bench.path("seen")).unwrap();
    let run = ran.results["run"].as_str().unwrap();
    let at_root = seen.lines().filter(|line| line.ends_with(":/")).count();
    assert!(at_root > 0 || seen.lines().all(|line| line.starts_with("0::")), "{seen}");
    assert!(!seen.contains(run), "the names of the host are not to be seen: {seen}");
}

/// Bounded, so that a mistake of the harness does not harm the host.
#[test]
fn processes_without_end_are_the_failure_of_a_check() {
    let real = runtime_or_skip!();
    let special = "i=0; while [ $i -lt 3000 ]; do sleep 1000 & i=$((i+1)); done; exit 1";
    let ran = judged(&Bench::new(), &real, "create", special);
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
    if hierarchies().iter().any(|top| top.ends_with("pids")) {
        assert!(reason(&ran).contains("its limit of 2048 processes"), "{:#}", ran.results);
    }
}

/// A gibibyte more than the limit.
#[test]
fn memory_without_end_is_the_failure_of_a_check() {
    let real = runtime_or_skip!();
    let ran = judged(&Bench::new(), &real, "create", "head -c 4G /dev/zero | tail -c 4G >/dev/null; exit 1");
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
    if hierarchies().iter().any(|top| top.ends_with("memory")) {
        assert!(reason(&ran).contains("MiB of memory"), "{:#}", ran.results);
    }
}

/// In a group of its own, and all of the check with it.
#[test]
fn a_runtime_that_freezes_is_ended() {
    let real = runtime_or_skip!();
    let own = "for dir in $groups; do [ -e $dir/freezer.state ] || continue
        mkdir $dir/cold; echo $$ >$dir/cold/cgroup.procs; echo FROZEN >$dir/cold/freezer.state; done; exec sleep 1000";
    let all =
        "for dir in $groups; do [ -e $dir/freezer.state ] && echo FROZEN >$dir/freezer.state; done; exec sleep 1000";
    for special in [own, all] {
        let bench = Bench::new();
        let ran = bench.judge(&runtime(&bench, &real, "create", special), &["--filter", SIMPLEST, "--timeout", "2"]);
        assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "timeout"), "{:#}", ran.results);
        ran.assert_nothing_left();
    }
}
