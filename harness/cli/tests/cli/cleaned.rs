//! What `plimsoll clean` removes, and what it leaves alone.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::bench::{Bench, SIMPLEST, assert_nothing_left, only_one_cleans};
use crate::runtime_or_skip;

/// A run whose runtime makes a real container and then hangs in `start`.
struct Hanging {
    child: Child,
    /// The id of the run.
    run: String,
}

/// Leaves the caller where he is.
const HERE: &[&str] = &[];

/// Another pid namespace, as in a container that shares the directory for temporary files and the control groups.
const ELSEWHERE: &[&str] = &["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// Starts it behind these words; returns when it hangs. Before that it does `special`.
fn hanging(bench: &Bench, real: &Path, place: &[&str], special: &str) -> Hanging {
    mkfifo(&bench.path("here"), Mode::S_IRWXU).unwrap();
    let (real, here) = (real.display(), bench.path("here"));
    let told = format!("{special}; echo $XDG_RUNTIME_DIR >{}; exec sleep 1000", here.display());
    let runtime = bench.script("runtime", &format!("[ \"$3\" = start ] && {{ {told}; }}\nexec {real} \"$@\""));
    let runtime = runtime.to_string_lossy().into_owned();
    let mut command = placed(bench, place, &["run", "--runtime", &runtime, "--filter", SIMPLEST, "--timeout", "60"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The fifo opens for us when the runtime opens it: no sleep, no polling. The directory of the run has its id in its name.
    let dir = fs::read_to_string(here).unwrap();
    let run = dir.trim().rsplit_once("plimsoll-").expect("the directory of the run").1.to_owned();
    Hanging { child, run }
}

/// A call of `plimsoll` behind these words.
fn placed(bench: &Bench, place: &[&str], args: &[&str]) -> Command {
    let Some((program, words)) = place.split_first() else { return bench.command(args) };
    let mut command = Command::new(program);
    command.args(words).arg(env!("CARGO_BIN_EXE_plimsoll")).args(args).current_dir(bench.dir.path());
    command.env("TMPDIR", "/tmp").stdin(Stdio::null());
    command
}

/// Inode of the first pid namespace, from which all processes are seen.
const INITIAL: u32 = 0xefff_fffc;

fn pid_namespace() -> u32 {
    u32::try_from(fs::metadata("/proc/self/ns/pid").unwrap().ino()).unwrap()
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// What `clean` says there.
fn cleaned(bench: &Bench, place: &[&str], temporary: &Path) -> String {
    let output = placed(bench, place, &["clean"]).env("TMPDIR", temporary).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    said
}

/// A process that shares the descriptors of a killed run holds its lock for a moment more.
#[test]
fn a_lock_does_not_keep_a_run_whose_owner_is_gone() {
    let real = runtime_or_skip!();
    let _alone = only_one_cleans();
    let bench = Bench::new();
    let Hanging { mut child, run } = hanging(&bench, &real, HERE, ":");
    let parts: Vec<&str> = run.split('-').collect();
    let start = u64::from_str_radix(parts[1], 16).unwrap() + 1;
    let gone = format!("{}-{start:x}-{}", parts[0], parts[2]);
    let dir = |run: &str| Path::new("/tmp").join(format!("plimsoll-{run}"));
    fs::create_dir(dir(&gone)).unwrap();
    // One file, and so one lock, which the living run holds.
    fs::hard_link(dir(&run).join("lock"), dir(&gone).join("lock")).unwrap();
    let said = cleaned(&bench, HERE, Path::new("/tmp"));
    assert!(said.contains(&gone) && !said.contains(&run), "{said}");
    assert!(!dir(&gone).exists() && dir(&run).join("lock").exists());
    kill(pid(&child), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    assert!(cleaned(&bench, HERE, Path::new("/tmp")).contains(&run));
    assert_nothing_left(&run);
}

#[test]
fn groups_of_other_names_in_those_of_a_killed_run_go_too() {
    let real = runtime_or_skip!();
    let _alone = only_one_cleans();
    let bench = Bench::new();
    let name = format!("foreign-{}", std::process::id());
    let special = format!("for top in /sys/fs/cgroup/*; do mkdir $top/{name} 2>/dev/null; done");
    let Hanging { mut child, run } = hanging(&bench, &real, HERE, &special);
    let before = bench.plimsoll(&["clean", "--dry-run"]);
    assert!(!before.stderr.contains(&run), "a living run is not to be cleaned: {}", before.stderr);
    kill(pid(&child), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    let cleaned = bench.plimsoll(&["clean"]);
    assert_eq!(cleaned.code, 0, "{}", cleaned.stderr);
    assert!(cleaned.stderr.contains(&run), "{}", cleaned.stderr);
    assert_nothing_left(&run);
    let foreign = Command::new("find").args(["/sys/fs/cgroup", "-name", &name]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&foreign.stdout), "", "groups of another name in those of the run");
}

/// Waits until the harness has ended, which is not our child behind `unshare`: then its lock is to be had.
fn wait_for_end(run: &str) {
    let file = fs::OpenOptions::new().write(true).open(format!("/tmp/plimsoll-{run}/lock")).unwrap();
    let lock =
        libc::flock { l_type: libc::F_WRLCK as i16, l_whence: libc::SEEK_SET as i16, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(&file, FcntlArg::F_SETLKW(&lock)).unwrap();
}

/// The lock on its directory tells that it lives; where that is not to be seen, its name does, or the run is left alone.
#[test]
fn runs_of_other_pid_namespaces_are_left_alone() {
    let real = runtime_or_skip!();
    let _alone = only_one_cleans();
    for (of_run, of_clean) in [(ELSEWHERE, HERE), (HERE, ELSEWHERE), (ELSEWHERE, ELSEWHERE)] {
        let bench = Bench::new();
        let Hanging { mut child, run } = hanging(&bench, &real, of_run, ":");
        let said = cleaned(&bench, of_clean, Path::new("/tmp"));
        assert!(!said.contains(&run), "it lives: {said}");
        let said = cleaned(&bench, of_clean, bench.dir.path());
        let about_it = |what: &str| said.lines().any(|line| line.starts_with(what) && line.contains(&run));
        assert!(!about_it("removed"), "{said}");
        let all_are_seen = of_clean == HERE && pid_namespace() == INITIAL;
        assert_eq!(about_it("not removed"), !all_are_seen, "{said}");
        assert!(Path::new(&format!("/tmp/plimsoll-{run}/lock")).exists());
        let alive = child.try_wait().unwrap().is_none();
        kill(pid(&child), Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        assert!(alive, "the run was ended");
        wait_for_end(&run);
        let said = cleaned(&bench, HERE, Path::new("/tmp"));
        assert!(said.contains(&run), "{said}");
        assert_nothing_left(&run);
    }
}

/// A command line is whatever its process wants it to be.
#[test]
fn what_clean_lists_does_not_drive_a_terminal() {
    let _real = runtime_or_skip!();
    let _alone = only_one_cleans();
    let bench = Bench::new();
    // Of a process that nobody has, for no process was started so late.
    let run = format!("{:x}-10000000000-{:x}", std::process::id(), pid_namespace().wrapping_sub(INITIAL));
    let tops = fs::read_dir("/sys/fs/cgroup").unwrap().flatten().map(|entry| entry.path());
    let tops = tops.chain([PathBuf::from("/sys/fs/cgroup")]).filter(|top| top.join("cgroup.procs").exists());
    // A cpuset of version 1 takes no process.
    let top = tops.into_iter().find(|top| !top.join("cpuset.cpu_exclusive").exists()).expect("a hierarchy");
    let group = top.join(format!("plimsoll-{run}"));
    fs::create_dir(&group).unwrap();
    let mut process = Command::new("/bin/cat").args(["-", "\u{1b}[2J\nfake"]).stdin(Stdio::piped()).spawn().unwrap();
    fs::write(group.join("cgroup.procs"), process.id().to_string()).unwrap();
    let said = cleaned(&bench, HERE, Path::new("/tmp"));
    assert_eq!(process.wait().unwrap().signal(), Some(Signal::SIGKILL as i32), "{said}");
    assert!(said.contains("\\u{1b}[2J\\nfake") && !said.contains('\u{1b}'), "{said:?}");
    assert_nothing_left(&run);
}
