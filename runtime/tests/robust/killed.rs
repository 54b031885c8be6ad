//! SIGKILL at each system call of the runtime: `delete --force` then removes all that is left.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::bundle::Bundle;
use crate::filtered::tiny;

/// Starts the command, and kills it when it comes to its `count`th stop at a system call. Whether it came to that.
fn killed_at(command: &Command, count: usize) -> bool {
    // A shell stops itself, so that it can be traced before it becomes the runtime.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "kill -STOP $$; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap()).process_group(0);
    let mut child = shell.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap();
    ptrace::seize(pid, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC).unwrap();
    kill(pid, Signal::SIGCONT).unwrap();
    let (mut stops, mut is_runtime) = (0, false);
    loop {
        let status = waitpid(pid, None).unwrap();
        match status {
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                // Waited for above; this only lets the standard library know.
                child.try_wait().ok();
                return false;
            }
            WaitStatus::PtraceEvent(_, _, event) if event == libc_event_exec() => is_runtime = true,
            WaitStatus::PtraceSyscall(_) if is_runtime => stops += 1,
            _ => {}
        }
        if stops == count {
            break;
        }
        if is_runtime { ptrace::syscall(pid, None).unwrap() } else { ptrace::cont(pid, None).unwrap() }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

fn libc_event_exec() -> i32 {
    ptrace::Event::PTRACE_EVENT_EXEC as i32
}

/// Walks over the system calls of one operation, in steps that are no multiple of the two stops of a call.
fn walk(verb: &[&str], prepare: &[&[&str]]) {
    if let Some(bundle) = Bundle::new() {
        walk_over(&bundle, verb, &[], prepare, 3);
    }
}

/// As [`walk`], in this bundle, with words after the id, by other steps.
fn walk_over(bundle: &Bundle, verb: &[&str], words: &[&str], prepare: &[&[&str]], step: usize) {
    let mut count = 1;
    loop {
        for verb in prepare {
            bundle.must(verb, "one");
        }
        if !killed_at(bundle.command(verb, "one").args(words), count) {
            break;
        }
        bundle.must(&["delete", "--force"], "one");
        let left = bundle.left();
        assert!(left.is_empty(), "after SIGKILL at stop {count} of {verb:?}: {left:?}");
        count += step;
    }
    bundle.must(&["delete", "--force"], "one");
    assert!(count > 30, "the walk ended after {count} stops");
}

#[test]
fn create_leaves_nothing() {
    walk(&["create"], &[]);
}

#[test]
fn run_leaves_nothing() {
    walk(&["run"], &[]);
}

#[test]
fn start_leaves_nothing() {
    walk(&["start"], &[&["create"]]);
}

#[test]
fn delete_leaves_nothing() {
    walk(&["delete", "--force"], &[&["create"]]);
}

#[test]
fn exec_leaves_nothing() {
    let Some(bundle) = tiny() else { return };
    bundle.set("process", "args", serde_json::json!(["/stays"]));
    walk_over(&bundle, &["exec"], &["/ends"], &[&["run", "--detach"]], 11);
}
