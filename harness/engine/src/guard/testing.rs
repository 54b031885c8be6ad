//! Tests that change what all processes share run in a process of their own: this test binary once more, as process 1
//! of new namespaces. `unshare(1)` makes them, because a test binary has threads and must not fork.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::unistd::{geteuid, getpid};

use crate::system::cgroup;

/// Runs an ignored test of this binary in namespaces of its own. Only root can; others are told.
pub(crate) fn in_private_namespaces(test: &str) {
    if !geteuid().is_root() {
        println!("skipped {test}: it needs root, for namespaces");
        return;
    }
    let output = Command::new("unshare")
        .args(["--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--mount-proc", "--"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--test-threads=1", "--nocapture"])
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{test}: {text}");
    // What the test inside could not do here.
    text.lines().filter(|line| line.starts_with("skipped")).for_each(|line| println!("{line}"));
}

/// Stops an inner test that was started by hand: it would kill and mount in the namespaces of the host.
pub(crate) fn refuse_outside() {
    assert_eq!(getpid().as_raw(), 1, "run by another test, in namespaces of its own");
}

/// A child that waits for the end of its standard input.
pub(crate) fn waiting_child() -> Child {
    let mut command = Command::new("/bin/cat");
    answered(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
}

/// Waits until a `cat` answers: before that the kernel may not show its arguments yet.
pub(crate) fn answered(mut child: Child) -> Child {
    child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    child
}

/// A control group for one test, gone with it.
#[derive(Debug)]
pub(crate) struct TestGroup(pub(crate) PathBuf);

impl TestGroup {
    /// In each hierarchy that freezes, of either version; where none can be made, a word to the reader.
    pub(crate) fn each(name: &str) -> Vec<Self> {
        let mut hierarchies = cgroup::hierarchies().unwrap();
        hierarchies.retain(|hierarchy| hierarchy.v2 || hierarchy.controllers.iter().any(|name| name == "freezer"));
        let dirs = hierarchies.iter().map(|hierarchy| hierarchy.mount.join(name));
        let made: Vec<Self> = dirs.filter(|dir| fs::create_dir(dir).is_ok()).map(Self).collect();
        if made.is_empty() {
            println!("skipped the part with control groups: cannot make {name} in any of {hierarchies:?}");
        }
        made
    }

    /// The first of [`Self::each`].
    pub(crate) fn new(name: &str) -> Option<Self> {
        Self::each(name).into_iter().next()
    }

    pub(crate) fn join(&self, pid: u32) {
        fs::write(self.0.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    pub(crate) fn freeze(dir: &Path) {
        let v1 = dir.join("freezer.state");
        if v1.exists() { fs::write(v1, "FROZEN").unwrap() } else { fs::write(dir.join("cgroup.freeze"), "1").unwrap() }
    }
}

impl Drop for TestGroup {
    fn drop(&mut self) {
        // A group that is left is found by `find_named` in the next run of whoever looks; a panic here would abort.
        if let Err(why) = cgroup::thaw_below(&self.0).and_then(|()| cgroup::remove_tree(&self.0)) {
            println!("left behind: {why}");
        }
    }
}
