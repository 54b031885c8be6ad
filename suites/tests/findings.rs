//! Findings are for people. Values go through `Describe`; nothing in a check writes one as Rust does for its programmers.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The files of the checks. What the random search says of its cases quotes text of others.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("src/fuzz") {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the sources of this crate are no foreign files")]
fn no_check_formats_a_value_for_programmers() -> io::Result<()> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files)?;
    assert!(files.len() > 100, "{} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file)?;
        let checks = text.split("#[cfg(test)]").next().unwrap_or_default();
        let debug = checks.lines().find(|line| line.contains(":?}") && !line.contains("assert"));
        assert_eq!(debug, None, "{}: `Describe::describe` gives the text of a value", file.display());
    }
    Ok(())
}
