//! What the tests share: calling `plimsoll`, wrapping a real runtime, looking for what was left behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::fcntl::{Flock, FlockArg};
use serde_json::Value;
use tempfile::TempDir;

/// A place for one test: a directory and the results of the last run.
pub struct Bench {
    pub dir: TempDir,
}

/// What a call of `plimsoll` came to.
pub struct Ran {
    pub code: i32,
    pub stderr: String,
    /// `results.json`, or null when none was written.
    pub results: Value,
}

impl Bench {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes an executable shell script.
    pub fn script(&self, name: &str, body: &str) -> PathBuf {
        let path = self.path(name);
        // Written under another name first: a file that is open for writing anywhere cannot be executed.
        fs::write(self.path("draft"), format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(self.path("draft"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(self.path("draft"), &path).unwrap();
        path
    }

    /// A command that runs `plimsoll` with these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_through(&[], args)
    }

    /// As [`Bench::command`], started by another program: its words come before those of `plimsoll`.
    pub fn command_through(&self, before: &[&str], args: &[&str]) -> Command {
        let words = [before, &[env!("CARGO_BIN_EXE_plimsoll")], args].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_remove("NO_COLOR").env("TMPDIR", "/tmp");
        command
    }

    pub fn plimsoll(&self, args: &[&str]) -> Ran {
        let output = self.command(args).output().unwrap();
        self.ran(&output)
    }

    pub fn ran(&self, output: &Output) -> Ran {
        let results = fs::read(self.path("results.json")).ok();
        let results = results.map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ran { code: output.status.code().unwrap_or(-1), stderr, results }
    }

    /// Judges a runtime by the checks that `more` selects.
    pub fn judge(&self, runtime: &Path, more: &[&str]) -> Ran {
        let runtime = runtime.to_string_lossy();
        let args: Vec<&str> = ["run", "--runtime", &runtime].iter().chain(more).copied().collect();
        self.plimsoll(&args)
    }
}

impl Ran {
    /// The verdict of a check.
    pub fn verdict(&self, id: &str) -> &str {
        let checks = self.results["checks"].as_array().map_or(&[][..], Vec::as_slice);
        checks.iter().find(|check| check["id"] == id).map_or("absent", |check| check["verdict"].as_str().unwrap())
    }

    /// Ids of the checks that passed.
    pub fn passed(&self) -> Vec<&str> {
        self.of(&["pass"])
    }

    /// Ids of the checks that failed, or that warn.
    pub fn red(&self) -> Vec<&str> {
        self.of(&["fail", "warn", "timeout"])
    }

    fn of(&self, verdicts: &[&str]) -> Vec<&str> {
        let checks = self.results["checks"].as_array().map_or(&[][..], Vec::as_slice);
        let wanted = checks.iter().filter(|check| verdicts.contains(&check["verdict"].as_str().unwrap()));
        wanted.map(|check| check["id"].as_str().unwrap()).collect()
    }

    /// Nothing of the run is left on the host.
    pub fn assert_nothing_left(&self) {
        assert_nothing_left(self.results["run"].as_str().expect("a run id"));
    }
}

/// Held by a test that calls `clean`, which removes what others would see removed by theirs.
pub fn only_one_cleans() -> Flock<fs::File> {
    let file = fs::File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("clean.lock")).unwrap();
    Flock::lock(file, FlockArg::LockExclusive).unwrap()
}

/// Nothing of this run is left on the host: no directory, mount, cgroup or process.
pub fn assert_nothing_left(run: &str) {
    assert!(!run.is_empty());
    assert!(!Path::new(&format!("/tmp/plimsoll-{run}")).exists(), "the directory of run {run} is left");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(run), "a mount of run {run} is left");
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let groups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
        // One that has ended, and that nobody has reaped yet, stands in a group that is gone.
        let stands = groups.lines().any(|line| line.contains(run) && !line.ends_with(" (deleted)"));
        let status = || fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        assert!(!stands, "process {} of run {run} is left: {}\n{groups}", entry.path().display(), status());
    }
    let mut left = Vec::new();
    find_groups(Path::new("/sys/fs/cgroup"), run, &mut left);
    assert!(left.is_empty(), "cgroups of run {run} are left: {left:?}");
}

fn find_groups(dir: &Path, run: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if entry.file_name().to_string_lossy().contains(run) {
                found.push(entry.path());
            }
            find_groups(&entry.path(), run, found);
        }
    }
}

/// A runtime to wrap, or the reason why the test is skipped.
pub fn real_runtime() -> Result<PathBuf, String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("needs root".to_owned());
    }
    let places = ["/usr/sbin/runc", "/usr/bin/runc"].map(PathBuf::from);
    places.into_iter().find(|path| path.exists()).ok_or_else(|| "needs runc: apt-get install runc".to_owned())
}

/// The runtime, or an early return from the test with a line that says why.
#[macro_export]
macro_rules! runtime_or_skip {
    () => {
        match $crate::bench::real_runtime() {
            Ok(path) => path,
            Err(why) => {
                eprintln!("skipped: {why}");
                return;
            }
        }
    };
}

/// The check that every run begins with.
pub const SIMPLEST: &str = "lifecycle.simplest-container";
