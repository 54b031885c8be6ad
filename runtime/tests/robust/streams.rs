//! Standard streams that a caller did not provide, or gave up.

use std::io::{Read, Write};
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

#[test]
fn a_full_pipe_that_does_not_block_gets_everything_later() {
    let Some(bundle) = Bundle::new() else { return };
    bundle.set("process", "terminal", true.into());
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    let mut filler = 0;
    while let Ok(written) = writer.write(&[b' '; 4096]) {
        filler += written;
    }
    let mut run = bundle.command(&["run"], "one").stdout(writer).spawn().unwrap();
    // The program has said all that it has to say, and there was no room for it.
    let state = || bundle.command(&["state"], "one").stdout(Stdio::piped()).stderr(Stdio::null()).output().unwrap();
    while !String::from_utf8_lossy(&state().stdout).contains("\"stopped\"") && run.try_wait().unwrap().is_none() {}
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert!(text[filler..].starts_with("plimsoll-runtime"), "{:?}", &text[filler..]);
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(bundle.left(), Vec::<String>::new());
}
