//! A filter of system calls is the program's: one that allows nothing but to execute it and to end is enough for the runtime.

use std::fs;

use serde_json::{Value, json};

use crate::bundle::Bundle;

/// The loading address of the programs here.
const BASE: u64 = 0x40_0000;

/// `exit(0)`
const ENDS: &[u8] = &[0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05];

/// `pause()`, over and over.
const STAYS: &[u8] = &[0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7];

/// A static program of these instructions for x86-64. elf(5).
fn program(code: &[u8]) -> Vec<u8> {
    let (header, entry) = (64_u64, 64 + 56_u64);
    let size = entry + code.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let mut put = |number: u64, width: usize| bytes.extend(&number.to_le_bytes()[..width]);
    for (number, width) in [(2, 2), (62, 2), (1, 4), (BASE + entry, 8), (header, 8), (0, 8), (0, 4)] {
        put(number, width);
    }
    for (number, width) in [(header, 2), (56, 2), (1, 2), (0, 6)] {
        put(number, width);
    }
    for (number, width) in [(1, 4), (5, 4), (0, 8), (BASE, 8), (BASE, 8), (size, 8), (size, 8), (0x1000, 8)] {
        put(number, width);
    }
    bytes.extend(code);
    bytes
}

/// A bundle with a program `/ends` and a program `/stays`.
pub fn tiny() -> Option<Bundle> {
    if std::env::consts::ARCH != "x86_64" {
        eprintln!("skipped: the programs are for x86-64");
        return None;
    }
    let bundle = Bundle::new()?;
    for (name, code) in [("ends", ENDS), ("stays", STAYS)] {
        bundle.script(name, "");
        fs::write(bundle.path().join("rootfs").join(name), program(code)).unwrap();
    }
    Some(bundle)
}

/// One whose filter allows what these programs need alone.
fn confined(action: &str, errno: Option<i32>, no_new_privileges: bool, args: &[&str]) -> Option<Bundle> {
    let bundle = tiny()?;
    bundle.set("process", "args", json!(args));
    bundle.set("process", "noNewPrivileges", no_new_privileges.into());
    let allowed = json!([{ "names": ["execve", "exit", "pause"], "action": "SCMP_ACT_ALLOW" }]);
    let mut filter = json!({ "defaultAction": action, "syscalls": allowed });
    if let Some(errno) = errno {
        filter["defaultErrnoRet"] = errno.into();
    }
    bundle.set("linux", "seccomp", filter);
    Some(bundle)
}

/// All of the harshest filters, with and without new privileges.
fn each(args: &[&str], judge: impl Fn(&Bundle)) {
    let denials = [("SCMP_ACT_ERRNO", Some(1)), ("SCMP_ACT_ERRNO", Some(38)), ("SCMP_ACT_KILL_PROCESS", None)];
    for (action, errno) in denials {
        for no_new_privileges in [true, false] {
            let Some(bundle) = confined(action, errno, no_new_privileges, args) else { return };
            judge(&bundle);
            assert_eq!(bundle.left(), Vec::<String>::new());
        }
    }
}

#[test]
fn a_program_that_may_only_end_runs_and_ends() {
    each(&["/ends"], |bundle| bundle.must(&["run"], "one"));
}

#[test]
fn it_can_be_created_and_started() {
    each(&["/stays"], |bundle| {
        bundle.must(&["create"], "one");
        bundle.must(&["start"], "one");
        bundle.must(&["delete", "--force"], "one");
    });
}

#[test]
fn a_program_can_be_added_to_it() {
    each(&["/stays"], |bundle| {
        bundle.must(&["run", "--detach"], "one");
        let added = bundle.command(&["exec"], "one").arg("/ends").status().unwrap();
        assert!(added.success(), "{added}");
        bundle.must(&["delete", "--force"], "one");
    });
}

#[test]
fn it_can_have_another_user() {
    each(&["/ends"], |bundle| {
        bundle.set("process", "user", json!({ "uid": 7, "gid": 8 }));
        bundle.must(&["run"], "one");
    });
}

#[test]
fn hooks_that_start_with_it_have_the_filter_and_run() {
    let filter: fn(&str) -> Option<Bundle> = |program| confined("SCMP_ACT_KILL_PROCESS", None, true, &[program]);
    let Some(bundle) = filter("/ends") else { return };
    let hook = |path: &str| -> Value { json!([{ "path": path }]) };
    bundle.set("hooks", "startContainer", hook("/ends"));
    bundle.must(&["run"], "one");
    // What they may not do ends them.
    bundle.set("hooks", "startContainer", hook("/program"));
    let (succeeded, complaints) = bundle.call(&["run"], "one");
    assert!(!succeeded && complaints.contains("signal 31"), "{complaints}");
    assert_eq!(bundle.left(), Vec::<String>::new());
}
