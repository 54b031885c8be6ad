//! Virtual machines: what stands in their way is told in one line, and where an emulator and a kernel are at hand, one
//! boots.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

#[test]
fn a_machine_runs_a_command_and_brings_its_results_back() {
    let kernel = match bootable() {
        Ok(kernel) => kernel,
        Err(why) => {
            eprintln!("skipped: {why}");
            return;
        }
    };
    let bench = Bench::new();
    // A program that is no runtime: that the verdict is about it shows that the whole way works.
    let ran = bench.ran(&boot(&bench, &kernel, &[], &[RUN, &["--filter", SIMPLEST]].concat()).output().unwrap());
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{}", ran.stderr);
    assert_eq!((&ran.results["host"]["cgroups"], &ran.results["host"]["accelerator"]), (&"v2".into(), &"tcg".into()));
    assert!(ran.stderr.contains(SIMPLEST), "no progress: {}", ran.stderr);
}
