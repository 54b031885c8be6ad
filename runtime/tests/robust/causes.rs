//! What a failed start says: the reason of whoever met with it, not what the other side made of that.

use serde_json::json;

use crate::bundle::Bundle;

#[test]
fn a_limit_that_the_kernel_refuses_is_named() {
    let Some(bundle) = Bundle::new() else { return };
    bundle.set("linux", "resources", json!({"cpu": {"quota": 1}}));
    // The runtime meets with an init process that is gone; whether it does so before it hears why is chance.
    for _ in 0..20 {
        let (succeeded, complaints) = bundle.call(&["create"], "one");
        assert!(!succeeded && complaints.contains("cpu"), "{complaints}");
    }
    assert_eq!(bundle.left(), Vec::<String>::new());
}

#[test]
fn what_a_failed_hook_said_stands_in_the_error() {
    let Some(bundle) = Bundle::new() else { return };
    let hook = json!({"path": "/bin/sh", "args": ["sh", "-c", "echo one; echo two >&2; exit 3"]});
    bundle.set("hooks", "createRuntime", json!([hook]));
    let (succeeded, complaints) = bundle.call(&["create"], "one");
    assert!(!succeeded, "{complaints}");
    assert!(complaints.contains(r#"it exited with 3, stdout: "one", stderr: "two""#), "{complaints}");
    assert_eq!(bundle.left(), Vec::<String>::new());
}

#[test]
fn the_steps_of_a_start_are_told_to_who_asks() {
    let Some(bundle) = Bundle::new() else { return };
    let told = |debug: &[&str], verb| {
        let (succeeded, complaints) = bundle.call(&[debug, &[verb]].concat(), "one");
        assert!(succeeded, "{complaints}");
        complaints
    };
    let (create, start) = (told(&["--debug"], "create"), told(&["--debug"], "start"));
    assert!(create.contains("debug: make the mounts") && create.contains("debug: change the root"), "{create}");
    bundle.must(&["delete", "--force"], "one");
    assert!(start.contains("debug: the program runs"), "{start}");
    assert_eq!(told(&[], "create"), "");
    bundle.must(&["delete", "--force"], "one");
}
