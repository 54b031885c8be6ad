//! The bundled runtime, which is in the same file: as `plimsoll runtime …`, or through a link of its name.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::shared::failure::Failure;

/// The command that makes this program the runtime.
pub const SUBCOMMAND: &str = "runtime";

/// The name that does so as well, for callers such as containerd that take a path and no words.
const NAME: &str = "plimsoll-runtime";

/// The command line of the runtime, when this program was called as it. What comes ahead of the name is not looked at:
/// a start of a container must not pay for the harness.
pub fn called(mut arguments: impl Iterator<Item = OsString>) -> Option<Vec<OsString>> {
    let program = arguments.next()?;
    if Path::new(&program).file_name().is_some_and(|name| name == NAME) {
        return Some([program].into_iter().chain(arguments).collect());
    }
    let is_verb = arguments.next().is_some_and(|word| word == SUBCOMMAND);
    is_verb.then(|| command_line(arguments))
}

/// The command line of the runtime with these arguments. The first word is what its help calls it.
pub fn command_line(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    [format!("plimsoll {SUBCOMMAND}").into()].into_iter().chain(arguments).collect()
}

/// The file that holds it.
pub fn file() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|why| Failure::Host(format!("cannot find the path of this program: {why}")))
}

#[cfg(test)]
mod tests {
    use super::called;

    fn words(given: &[&str]) -> Option<Vec<String>> {
        let found = called(given.iter().map(Into::into))?;
        Some(found.iter().map(|word| word.to_string_lossy().into_owned()).collect())
    }

    #[test]
    fn a_name_or_a_verb_makes_it_the_runtime() {
        let called_by = |first: &str| vec![first.to_owned(), "state".to_owned(), "c".to_owned()];
        assert_eq!(words(&["/bin/plimsoll", "runtime", "state", "c"]), Some(called_by("plimsoll runtime")));
        assert_eq!(words(&["./plimsoll-runtime", "state", "c"]), Some(called_by("./plimsoll-runtime")));
        assert_eq!(words(&["plimsoll", "run", "--runtime", "runtime"]), None);
        assert_eq!(words(&["plimsoll"]), None);
    }
}
