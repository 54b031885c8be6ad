//! A runtime that is in a user namespace itself, and has no rights over the network and the devices around it.

use std::process::Command;

use crate::bundle::Bundle;

#[test]
fn a_runtime_in_a_user_namespace_makes_containers() {
    let Some(bundle) = Bundle::new() else { return };
    let inside = ["--user", "--map-root-user", "--mount"];
    if !Command::new("unshare").args(inside).arg("true").status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: no user namespace can be made here, or there is no unshare(1)");
    }
    bundle.without_groups_of_terminals();
    let runtime = bundle.command(&["run"], "one");
    let mut command = Command::new("unshare");
    command.args(inside).arg(runtime.get_program()).args(runtime.get_args());
    let output = command.current_dir(runtime.get_current_dir().unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bundle.left(), Vec::<String>::new());
}
