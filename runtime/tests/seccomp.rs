//! Filters in this host's kernel. Each is installed for one thread of the test, which it ends with.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::io::{IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::thread;

use plimsoll_runtime::config::Seccomp;
use plimsoll_runtime::seccomp::notify::{ProcessState, send_listener};
use plimsoll_runtime::seccomp::{Filter, Handover, supported_flags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{PidfdFlags, getpid, pidfd_open};

fn filter(json: &str) -> Filter {
    let profile: Seccomp = serde_json::from_str(json).unwrap();
    profile.validate("linux.seccomp").unwrap();
    Filter::compile(&profile).unwrap()
}

/// Runs in a thread that may take filters without privileges.
fn confined<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::spawn(|| {
        rustix::thread::set_no_new_privs(true).unwrap();
        body()
    })
}

fn errno_of_getcwd() -> Option<i32> {
    std::env::current_dir().err().and_then(|error| error.raw_os_error())
}

#[test]
fn a_denied_call_gets_the_errno_of_its_rule() {
    let filter = filter(
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getcwd","no_such_call"],
            "action":"SCMP_ACT_ERRNO","errnoRet":99}]}"#,
    );
    assert_eq!(errno_of_getcwd(), None);
    let inside = confined(move || {
        filter.install(None).unwrap();
        errno_of_getcwd()
    });
    assert_eq!(inside.join().unwrap(), Some(99));
    assert_eq!(errno_of_getcwd(), None);
}

#[test]
fn arguments_are_compared() {
    let filter = filter(
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getpriority"],"action":"SCMP_ACT_ERRNO",
            "args":[{"index":0,"value":1,"op":"SCMP_CMP_GE"}]}]}"#,
    );
    let inside = confined(move || {
        filter.install(None).unwrap();
        let group = rustix::process::getpriority_pgrp(None).err();
        (rustix::process::getpriority_process(None).is_ok(), group.map(rustix::io::Errno::raw_os_error))
    });
    assert_eq!(inside.join().unwrap(), (true, Some(libc::EPERM)));
}

#[test]
fn flags_that_the_kernel_knows_are_taken() {
    // TSYNC is about all threads, and those of the other tests have filters of their own.
    for flag in supported_flags().into_iter().filter(|flag| !flag.ends_with("TSYNC")) {
        let json = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","flags":["{flag}"]}}"#);
        let filter = filter(&json);
        confined(move || filter.install(None)).join().unwrap().unwrap();
    }
}

#[test]
fn the_listener_reaches_the_agent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent");
    let agent = UnixListener::bind(&path).unwrap();
    let filter = filter(&format!(
        r#"{{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"{}","syscalls":[{{"names":["getcwd"],
            "action":"SCMP_ACT_NOTIFY"}}]}}"#,
        path.display()
    ));
    let handover = Arc::new(Handover::new().unwrap());
    let offered = Arc::clone(&handover);
    // The thread waits for an answer to its call that nobody gives; it ends with the test program.
    let _held_up = confined(move || {
        filter.install(Some(&offered)).unwrap();
        errno_of_getcwd()
    });
    let process = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
    let listener = handover.receive(process.as_fd()).unwrap().expect("no listener");
    let state = serde_json::json!({"id": "c1"});
    send_listener(&path, &ProcessState::new("1.3.0", 7, Some("for you"), state), &listener).unwrap();
    drop(listener);

    let (text, received) = receive(&agent);
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = r#"{"ociVersion":"1.3.0","fds":["seccompFd"],"pid":7,"metadata":"for you","state":{"id":"c1"}}"#;
    assert_eq!(told.to_string(), expected);
    let mut notified = [PollFd::new(&received, PollFlags::IN)];
    assert_eq!(poll(&mut notified, Some(&Timespec { tv_sec: 10, tv_nsec: 0 })), Ok(1));
}

/// One connection, up to its end, and the descriptor that came with the first part.
fn receive(agent: &UnixListener) -> (String, OwnedFd) {
    let (mut connection, _) = agent.accept().unwrap();
    let mut bytes = vec![0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let parts = &mut [IoSliceMut::new(&mut bytes)];
    let length = recvmsg(&connection, parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC).unwrap().bytes;
    let descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptor = descriptors.flatten().next().expect("no descriptor");
    let mut text = String::from_utf8(bytes[..length].to_vec()).unwrap();
    connection.read_to_string(&mut text).unwrap();
    (text, descriptor)
}

#[test]
fn nobody_at_the_socket_is_an_error() {
    let path = std::path::Path::new("/nonexistent/agent");
    let state = ProcessState::new("1.3.0", 7, None, ());
    let descriptor = OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let told = send_listener(path, &state, &descriptor).unwrap_err().to_string();
    assert!(told.starts_with("linux.seccomp.listenerPath: hand the listener to `/nonexistent/agent`: "), "{told}");
}
