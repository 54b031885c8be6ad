//! A runtime that is in a user namespace itself, as in a rootless podman, and has no rights over the network, the
//! devices and the pid namespace around it.

use std::process::Command;

use crate::bundle::Bundle;

/// All in one user namespace: `"$@"` is the runtime with its state directory.
const LIFE: &str = r#""$@" create one && "$@" exec one /program --version && "$@" start one && "$@" delete --force one && "$@" run one"#;

#[test]
fn a_runtime_in_a_user_namespace_makes_containers() {
    let Some(bundle) = Bundle::new() else { return };
    let inside = ["--user", "--map-root-user", "--mount"];
    if !Command::new("unshare").args(inside).arg("true").status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: no user namespace can be made here, or there is no unshare(1)");
    }
    bundle.without_groups_of_terminals();
    let runtime = bundle.command(&[], "");
    let mut command = Command::new("unshare");
    command.args(inside).args(["sh", "-c", LIFE, "sh"]).arg(runtime.get_program());
    command.args(runtime.get_args().filter(|argument| !argument.is_empty()));
    let output = command.current_dir(runtime.get_current_dir().unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bundle.left(), Vec::<String>::new());
}
