//! What describes this program to shells and to man(1), made from its own command line.

use std::fs;
use std::path::Path;

use clap_complete::Shell;

use super::args::Arguments;
use crate::error::{Context, Result};

/// The completions for a shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "plimsoll-runtime", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes a manual page for the program and one for each verb.
///
/// # Errors
/// When the directory cannot be made, or a page cannot be written.
pub(super) fn man(dir: &Path) -> Result<()> {
    let doing = || format!("write manual pages to `{}`", dir.display());
    fs::create_dir_all(dir).doing(doing)?;
    clap_mangen::generate_to(Arguments::command(), dir).doing(doing)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn shells_and_man_learn_of_options_of_the_verbs() {
        for shell in Shell::value_variants() {
            assert!(completions(*shell).contains("no-pivot"), "{shell}");
        }
        let dir = tempfile::tempdir().unwrap();
        man(&dir.path().join("new")).unwrap();
        let page = fs::read_to_string(dir.path().join("new/plimsoll-runtime-create.1")).unwrap();
        assert!(page.contains(r"\-\-no\-pivot"), "{page}");
    }
}
