//! Virtual machines: what stands in their way is told in one line, and where an emulator and a kernel are at hand, one
//! boots.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bench::{Bench, Ran, SIMPLEST};

/// A file with the header of a kernel image and nothing else.
fn no_more_than_a_header(bench: &Bench) -> PathBuf {
    let mut bytes = vec![0; 0x400];
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes[0x20e..0x210].copy_from_slice(&0x60_u16.to_le_bytes());
    bytes[0x260..0x265].copy_from_slice(b"6.1.9");
    fs::write(bench.path("vmlinuz"), bytes).unwrap();
    bench.path("vmlinuz")
}

fn boot(bench: &Bench, kernel: &Path, options: &[&str], command: &[&str]) -> Command {
    let kernel = kernel.to_string_lossy();
    bench.command(&[&["vm", "--kernel", &kernel], options, &["--"], command].concat())
}

/// One line on standard error that has these words, and this exit code.
fn assert_one_line(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!((ran.code, ran.stderr.lines().count()), (code, 1), "{}", ran.stderr);
    assert!(words.iter().all(|word| ran.stderr.contains(word)), "no {words:?} in {}", ran.stderr);
}

const RUN: &[&str] = &["run", "--runtime", "/bin/true"];

#[test]
fn what_stands_in_the_way_is_told_in_one_line() {
    let bench = Bench::new();
    let ran = |mut command: Command| bench.ran(&command.output().unwrap());
    assert_one_line(&ran(boot(&bench, Path::new("/none"), &[], RUN)), 2, &["/none", "No such file"]);
    assert_one_line(&ran(boot(&bench, Path::new("/bin/true"), &[], RUN)), 2, &["/bin/true", "not a kernel image"]);
    let kernel = no_more_than_a_header(&bench);
    let mut command = boot(&bench, &kernel, &[], RUN);
    command.env("PATH", "/none");
    assert_one_line(&ran(command), 2, &["qemu-system-x86_64 is not installed", "apt-get install"]);
    fs::write(bench.path("config-6.1.9"), "CONFIG_TMPFS=y\n").unwrap();
    assert_one_line(&ran(boot(&bench, &kernel, &[], RUN)), 2, &["6.1.9 was built without", "CONFIG_DEVTMPFS=y"]);
}

#[test]
fn a_command_that_makes_no_sense_inside_is_refused_outside() {
    let bench = Bench::new();
    let kernel = no_more_than_a_header(&bench);
    let code = |command: &[&str]| bench.ran(&boot(&bench, &kernel, &[], command).output().unwrap()).code;
    assert_eq!(code(&["vm", "--", "clean"]), 4);
    assert_eq!(code(&["run", "--no-such-option"]), 4);
    assert_eq!(code(&["run", "--runtime", "/none"]), 4);
}

/// The kernel to boot, or why there is none: that of the variable `PLIMSOLL_KERNEL`, or the host's.
fn bootable() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    if !env::split_paths(&path).any(|dir| dir.join("qemu-system-x86_64").is_file()) {
        return Err("needs qemu: apt-get install qemu-system-x86".to_owned());
    }
    let named = env::var_os("PLIMSOLL_KERNEL").map(PathBuf::from);
    let usual = || fs::read_dir("/boot").into_iter().flatten().flatten().map(|entry| entry.path());
    let found = named
        .or_else(|| usual().find(|path| path.to_string_lossy().contains("vmlinuz-") && fs::File::open(path).is_ok()));
    found.ok_or_else(|| "needs a kernel: harness/vm/fetch-kernels gets one, PLIMSOLL_KERNEL names it".to_owned())
}

/// The kernel, or an early return from the test with a line that says why.
macro_rules! kernel_or_skip {
    () => {
        match bootable() {
            Ok(kernel) => kernel,
            Err(why) => {
                eprintln!("skipped: {why}");
                return;
            }
        }
    };
}

/// A check that needs `nsdelegate`.
const BORDER: &str = "resources.delegation/limit-and-options-of-the-host-stay";

#[test]
fn a_machine_runs_a_command_and_brings_its_results_back() {
    let kernel = kernel_or_skip!();
    let bench = Bench::new();
    // A program that is no runtime: that the verdict is about it shows that the whole way works.
    let chosen = ["--filter", SIMPLEST, "--filter", BORDER, "--no-preflight"];
    let ran = bench.ran(&boot(&bench, &kernel, &[], &[RUN, &chosen].concat()).output().unwrap());
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{}", ran.stderr);
    // It is skipped where the groups are not mounted as systemd does.
    assert_ne!(ran.verdict(BORDER), "skip", "{}", ran.stderr);
    assert_eq!((&ran.results["host"]["cgroups"], &ran.results["host"]["accelerator"]), (&"v2".into(), &"tcg".into()));
    assert!(ran.stderr.contains(SIMPLEST), "no progress: {}", ran.stderr);
}

/// What plimsoll itself says; the tail of the console follows, indented.
fn said(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.starts_with("plimsoll: ")).collect()
}

#[test]
fn machines_of_a_file_run_at_once_and_are_put_side_by_side() {
    let kernel = kernel_or_skip!();
    let bench = Bench::new();
    let row = |cgroup: &str| format!("[[machine]]\nkernel = {kernel:?}\ncgroup = \"{cgroup}\"\n");
    fs::write(bench.path("machines.toml"), row("v2") + &row("hybrid")).unwrap();
    let options = ["vm", "--matrix", "machines.toml", "--jobs", "2", "--"];
    let ran = bench.plimsoll(&[&options, RUN, &["--filter", SIMPLEST, "--format", "csv=both.csv"]].concat());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let names = fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let results =
        names.filter(|name| ["-v2.json", "-hybrid.json"].iter().any(|end| name.to_string_lossy().ends_with(end)));
    assert_eq!(results.count(), 2, "{}", ran.stderr);
    let both = fs::read_to_string(bench.path("both.csv")).unwrap();
    let about = both.lines().filter(|line| line.contains(SIMPLEST) && line.contains("fail")).count();
    assert_eq!(about, 2, "{both}");
}

#[test]
fn a_machine_that_is_killed_half_way_is_an_error() {
    let kernel = kernel_or_skip!();
    let bench = Bench::new();
    // It refuses the first container, and never comes to an end with the second.
    let body = "[ -e /half ] && exec tail -f /dev/null\ncase \"$*\" in *create*) : >/half ;; esac\nexit 1";
    let runtime = bench.script("endless", body);
    let runtime = runtime.to_string_lossy();
    let tail = fs::canonicalize("/usr/bin/tail").unwrap();
    let run = ["run", "--runtime", &runtime, "--filter", "lifecycle.end/*", "--no-preflight", "--jobs", "1"];
    let mut command = boot(&bench, &kernel, &["--add", &tail.to_string_lossy()], &run);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert!(first.contains("lifecycle.end/"), "{first}");
    nix::sys::signal::kill(emulator_of(child.id()), nix::sys::signal::Signal::SIGKILL).unwrap();
    let mut stderr = String::new();
    lines.read_to_string(&mut stderr).unwrap();
    let ran = Ran { code: child.wait().unwrap().code().unwrap(), stderr, results: serde_json::Value::Null };
    assert_eq!((ran.code, said(&ran).len()), (2, 1), "{}", ran.stderr);
    assert!(said(&ran)[0].contains("was ended by signal 9"), "{}", ran.stderr);
}

/// The emulator that a process has started.
fn emulator_of(pid: u32) -> nix::unistd::Pid {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let is_emulator = |child: &&str| {
        fs::read_link(format!("/proc/{child}/exe")).is_ok_and(|exe| exe.to_string_lossy().contains("qemu-system"))
    };
    let child = children.split_whitespace().find(is_emulator).unwrap();
    nix::unistd::Pid::from_raw(child.parse().unwrap())
}

#[test]
fn a_machine_that_hangs_is_an_error() {
    let kernel = kernel_or_skip!();
    let bench = Bench::new();
    // Process 1 of the machine, which speaks every second, is frozen.
    let runtime = bench.script("freezes", "echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze");
    let command = ["run", "--runtime", &runtime.to_string_lossy(), "--filter", SIMPLEST, "-q"];
    let ran = bench.ran(&boot(&bench, &kernel, &[], &command).output().unwrap());
    assert_eq!((ran.code, said(&ran).len()), (2, 1), "{}", ran.stderr);
    assert!(said(&ran)[0].contains("the machine hangs: it has said nothing for 90 s"), "{}", ran.stderr);
}

#[test]
fn a_machine_that_runs_out_of_memory_is_an_error() {
    let kernel = kernel_or_skip!();
    let bench = Bench::new();
    // The last line of what never ends is kept in memory.
    let runtime = bench.script("hungry", "exec tail /dev/zero");
    let runtime = runtime.to_string_lossy();
    let command = ["run", "--runtime", &runtime, "--filter", SIMPLEST, "-q"];
    let tail = fs::canonicalize("/usr/bin/tail").unwrap();
    let options = ["--memory", "512", "--add", &tail.to_string_lossy()];
    let ran = bench.ran(&boot(&bench, &kernel, &options, &command).output().unwrap());
    assert_eq!((ran.code, said(&ran).len()), (2, 1), "{}", ran.stderr);
    assert!(said(&ran)[0].contains("it ran out of its 512 MiB of memory"), "{}", ran.stderr);
    // Too little to begin with.
    let ran = bench.ran(&boot(&bench, &kernel, &["--memory", "64"], RUN).output().unwrap());
    assert_eq!((ran.code, said(&ran).len()), (2, 1), "{}", ran.stderr);
    assert!(said(&ran)[0].contains("64 MiB"), "{}", ran.stderr);
}
