//! A caller with signals ignored and blocked, few descriptors, a strict umask, a working directory that is gone, no standard input
//! and descriptors of its own: each operation does the same as for anybody else.

use std::process::Command;

use serde_json::json;

use crate::bundle::Bundle;
use crate::filtered::tiny;

/// Makes the shell such a caller, and executes its arguments.
const DIRTY: &str = "mkdir gone && cd gone && rmdir ../gone || exit 99; umask 077; ulimit -Sn 40; exec 3</ 4<>/dev/zero <&-; \
    exec env --ignore-signal=HUP,INT,TERM,PIPE,USR1 --block-signal=CHLD,USR2,ALRM \"$@\"";

fn must(bundle: &Bundle, verb: &[&str], words: &[&str]) {
    let clean = bundle.command(verb, "one");
    let mut dirty = Command::new("/bin/sh");
    dirty.args(["-c", DIRTY, "sh"]).arg(clean.get_program()).args(clean.get_args()).args(words);
    let done = dirty.current_dir(bundle.path()).stdout(std::process::Stdio::null()).status().unwrap();
    assert!(done.success(), "{verb:?}: {done}");
}

#[test]
fn is_as_good_as_any() {
    let Some(bundle) = tiny() else { return };
    bundle.set("process", "args", json!(["/stays"]));
    let path = bundle.path().to_str().unwrap().to_owned();
    for _ in 0..5 {
        must(&bundle, &["create", "--bundle", &path], &[]);
        must(&bundle, &["start"], &[]);
        must(&bundle, &["exec"], &["/ends"]);
        must(&bundle, &["exec", "--detach"], &["/ends"]);
        for verb in [
            &["state"][..],
            &["pause"],
            &["resume"],
            &["ps"],
            &["events", "--stats"],
            &["update", "--pids-limit", "50"],
        ] {
            must(&bundle, verb, &[]);
        }
        must(&bundle, &["delete", "--force"], &[]);
        must(&bundle, &["run", "--detach", "--bundle", &path], &[]);
        must(&bundle, &["delete", "--force"], &[]);
    }
    assert_eq!(bundle.left(), Vec::<String>::new());
}
