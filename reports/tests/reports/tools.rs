//! Programs that nobody here wrote, to read what we wrote. A test that lacks one says so and ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program in PATH, or the reason for skipping.
pub fn tool(name: &str, package: &str) -> Option<Command> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: needs {name} ({package})");
    }
    found.map(Command::new)
}

/// Writes the text to a file in the directory.
pub fn written(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).expect("write a file of our own");
    path
}

/// Runs it, and expects it to be content.
pub fn content(command: &mut Command) -> Output {
    let output = command.output().expect("run the tool");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", said(&output.stdout), said(&output.stderr));
    output
}
