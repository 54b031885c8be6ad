//! Names and values of host-wide state.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The longest value that is compared.
const LONGEST: u64 = 4096;

/// The name of a member.
pub(super) fn member(named: &str, name: impl Display) -> PathBuf {
    PathBuf::from(format!("{named}{name}"))
}

/// Whether the name of a member begins so.
pub(super) fn is_named(member: &Path, named: &str) -> bool {
    member.to_string_lossy().starts_with(named)
}

/// The rest of such a name.
pub(super) fn below<'a>(member: &'a Path, named: &str) -> io::Result<&'a str> {
    let name = member.to_str().and_then(|member| member.strip_prefix(named));
    name.ok_or_else(|| io::Error::other(format!("{} is no name after {named}", member.display())))
}

/// Some cannot be read at all, or not at this time: those have no value.
pub(super) fn value(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "bounded: what is longer is told apart by its beginning")]
    File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Some(chosen(&text).map_or_else(|| text.clone(), str::to_owned))
}

/// A choice is shown in brackets, among its alternatives, in one line.
fn chosen(text: &str) -> Option<&str> {
    let mut choices = text.trim_end().split(' ').filter_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
    let choice = choices.next().filter(|choice| !choice.contains('\n'));
    choice.filter(|_| choices.next().is_none())
}

pub(super) fn write(path: &Path, value: &str) -> io::Result<()> {
    // Some parameters take the line break for a part of the value, and an empty one takes a byte.
    let trimmed = value.strip_suffix('\n').unwrap_or(value);
    for text in [value, trimmed, &format!("{trimmed}\0")] {
        fs::write(path, text.as_bytes())?;
        if self::value(path).as_deref() == Some(value) {
            return Ok(());
        }
    }
    Err(io::Error::other(format!("{} does not take it", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_told_from_text_in_brackets() {
        assert_eq!(chosen("always [madvise] never\n"), Some("madvise"));
        for text in ["/x[\n]y\n", "[a] [b]\n", "1\n", ""] {
            assert_eq!(chosen(text), None, "{text:?}");
        }
    }
}
