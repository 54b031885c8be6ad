//! Findings are for people. Values go through `Shown`; nothing in a check writes one as Rust does for its programmers.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of the checks. What the random search says of its cases quotes text of others.
fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("src/fuzz") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_check_formats_a_value_for_programmers() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 100, "{} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let checks = text.split("#[cfg(test)]").next().unwrap();
        let debug = checks.lines().find(|line| line.contains(":?}") && !line.contains("assert"));
        assert_eq!(debug, None, "{}: `Shown::shown` gives the text of a value", file.display());
    }
}
