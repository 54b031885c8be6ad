//! Signals to a container that waits for `start`: they do what they do to a program, though its process is the first of a
//! pid namespace, which default actions do not touch.

use std::process::Stdio;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::bundle::Bundle;

/// The member of the container's state.
fn state(bundle: &Bundle, member: &str) -> serde_json::Value {
    let output = bundle.command(&["state"], "one").stdout(Stdio::piped()).output().unwrap();
    let mut state: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    state[member].take()
}

#[test]
fn one_that_ends_programs_ends_it() {
    let Some(bundle) = Bundle::new() else { return };
    for signal in ["TERM", "INT", "HUP", "QUIT", "USR1", "ABRT", "SEGV", "RTMIN", "RTMAX", "KILL"] {
        bundle.must(&["create"], "one");
        let pid = state(&bundle, "pid").as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).unwrap()));
        let pidfd = pidfd_open(pid.unwrap(), PidfdFlags::empty()).unwrap();
        let killed = bundle.command(&["kill"], "one").arg(signal).status().unwrap();
        assert!(killed.success(), "{signal}");
        let deadline = Timespec { tv_sec: 60, tv_nsec: 0 };
        let ended = rustix::event::poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&deadline)).unwrap();
        assert_eq!(ended, 1, "{signal} does not end it");
        assert_eq!(state(&bundle, "status"), "stopped", "{signal}");
        bundle.must(&["delete"], "one");
    }
    assert_eq!(bundle.left(), Vec::<String>::new());
}

#[test]
fn one_that_programs_ignore_leaves_it() {
    let Some(bundle) = Bundle::new() else { return };
    bundle.must(&["create"], "one");
    for signal in ["CHLD", "CONT", "URG", "WINCH"] {
        let killed = bundle.command(&["kill"], "one").arg(signal).status().unwrap();
        assert!(killed.success(), "{signal}");
    }
    assert_eq!(state(&bundle, "status"), "created");
    bundle.must(&["start"], "one");
    bundle.must(&["delete", "--force"], "one");
    assert_eq!(bundle.left(), Vec::<String>::new());
}
