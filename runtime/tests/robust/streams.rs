//! Standard streams that a caller did not provide, or gave up.

use std::process::{Command, Stdio};

use crate::bundle::Bundle;

#[test]
fn closed_ones_are_nobody_elses() {
    let Some(bundle) = Bundle::new() else { return };
    // A state directory or a socket in their place would be what the program prints to.
    let run = bundle.command(&["run"], "one");
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" <&- >&- 2>&-", "sh"]).arg(run.get_program()).args(run.get_args());
    let status = shell.current_dir(run.get_current_dir().unwrap()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(bundle.left(), Vec::<String>::new());
}

#[test]
fn a_reader_that_is_gone_is_an_error() {
    let Some(bundle) = Bundle::new() else { return };
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = bundle.command(&[], "features").stdout(writer).stderr(Stdio::null()).status().unwrap();
    // Not the end by SIGPIPE.
    assert_eq!(status.code(), Some(1));
}
