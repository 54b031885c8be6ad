//! Handlers of binfmt_misc: which program executes a file of a foreign format. Whoever registers one decides what the host
//! executes. See the kernel's documentation, "Kernel Support for miscellaneous Binary Formats".

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::member::{below, member, value};
use crate::system::kernel_fs::BINFMT_MISC;

pub(super) const NAMED: &str = "binfmt_misc:";

/// Whether handlers are used at all.
const STATUS: &str = "status";
const REGISTER: &str = "register";

/// What ends a handler that is written to its file.
const REMOVE: &str = "-1";

pub(super) fn members() -> io::Result<BTreeMap<PathBuf, String>> {
    let Some(root) = BINFMT_MISC.root() else { return Ok(BTreeMap::new()) };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        // `register` cannot be read, and one that is removed meanwhile no longer.
        let shown = value(&entry.path());
        found.extend(shown.map(|shown| (member(NAMED, name.display()), shown)));
    }
    Ok(found)
}

pub(super) fn restore(member: &Path, was: Option<&str>) -> io::Result<()> {
    let root = BINFMT_MISC.expected()?;
    let name = below(member, NAMED)?;
    let file = root.join(name);
    let Some(was) = was else { return fs::write(file, REMOVE) };
    if name != STATUS {
        if file.exists() {
            fs::write(&file, REMOVE)?;
        }
        let line = registration(name, was).ok_or_else(|| io::Error::other("its form is not known"))?;
        fs::write(root.join(REGISTER), line)?;
    }
    fs::write(file, if was.starts_with("enabled") { "1" } else { "0" })
}

/// The line that registers a handler which shows this.
fn registration(name: &str, shown: &str) -> Option<String> {
    let member = |word: &str| shown.lines().find_map(|line| line.strip_prefix(word)).map(str::trim);
    let (interpreter, flags) = (member("interpreter ")?, member("flags:")?);
    if let Some(extension) = member("extension .") {
        return Some(format!(":{name}:E::{extension}::{interpreter}:{flags}"));
    }
    let (offset, magic) = (member("offset ")?, bytes(member("magic ")?)?);
    let mask = member("mask ").map_or(Some(String::new()), bytes)?;
    Some(format!(":{name}:M:{offset}:{magic}:{mask}:{interpreter}:{flags}"))
}

/// Hexadecimal digits as `register` takes them.
fn bytes(digits: &str) -> Option<String> {
    let mut escaped = String::new();
    for at in (0..digits.len()).step_by(2) {
        write!(escaped, "\\x{}", digits.get(at..at + 2)?).ok()?;
    }
    Some(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_is_registered_as_it_was() {
        let by_magic = "enabled\ninterpreter /usr/bin/emulator\nflags: OCF\noffset 0\nmagic 7f454c46\nmask ffffff00\n";
        let line = r":arm:M:0:\x7f\x45\x4c\x46:\xff\xff\xff\x00:/usr/bin/emulator:OCF";
        assert_eq!(registration("arm", by_magic).unwrap(), line);
        let by_name = "disabled\ninterpreter /usr/bin/cli\nflags: \nextension .exe\n";
        assert_eq!(registration("exe", by_name).unwrap(), ":exe:E::exe::/usr/bin/cli:");
        assert_eq!(registration("odd", "enabled\n"), None);
    }
}
