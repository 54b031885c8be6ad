//! Who can change a file: what says which program root executes must be written by nobody else.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::geteuid;

/// Why somebody else could have written this file: its owner or mode, or those of its directory or of one above, in words. `None`
/// when it is the caller's or root's alone.
///
/// # Errors
/// When the file or its directory cannot be looked at.
pub fn objection(file: &Path) -> io::Result<Option<String>> {
    let (named, absolute) = (std::path::absolute(file)?, fs::canonicalize(file)?);
    let above = |path: &Path| path.parent().unwrap_or(Path::new("/")).to_owned();
    // Where a link stands at its place, who can write beside the link decides as well.
    let places = [("it", absolute.clone()), ("its directory", above(&absolute)), ("its directory", above(&named))];
    for (what, path) in places {
        if let Some(why) = of_others(&fs::metadata(path)?, users()) {
            return Ok(Some(format!("{what} {why}")));
        }
    }
    for above in [&absolute, &named].into_iter().flat_map(|path| path.ancestors().skip(2)) {
        let status = fs::metadata(above)?;
        // In a sticky one nobody can move what belongs to somebody else.
        if status.mode() & 0o1002 == 0o002 {
            let mode = status.mode() & 0o7777;
            return Ok(Some(format!("{}, above it, can be written by everybody (mode {mode:04o})", above.display())));
        }
    }
    Ok(None)
}

/// Root and the caller, also the one who became root by sudo: its number counts only for owners, so a variable that lies gains
/// nothing but the trust of one more user by whoever starts the harness.
fn users() -> [u32; 3] {
    let own = geteuid().as_raw();
    let before = std::env::var("SUDO_UID").ok().and_then(|number| number.parse().ok());
    [0, own, before.unwrap_or(own)]
}

fn of_others(status: &Metadata, users: [u32; 3]) -> Option<String> {
    if !users.contains(&status.uid()) {
        return Some(format!("belongs to user {}", status.uid()));
    }
    let (mode, sticky) = (status.mode(), status.is_dir() && status.mode() & 0o1000 != 0);
    match mode & 0o022 {
        0 => None,
        _ if sticky => Some(format!("is open to all (mode {:04o})", mode & 0o7777)),
        0o020 => Some(format!("can be written by its group (mode {:04o})", mode & 0o7777)),
        _ => Some(format!("can be written by everybody (mode {:04o})", mode & 0o7777)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_others_can_write_is_objected_to() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x");
        fs::write(&file, "").unwrap();
        let with = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        with(&file, 0o644);
        assert_eq!(objection(&file).unwrap(), None);
        with(&file, 0o664);
        assert_eq!(objection(&file).unwrap().unwrap(), "it can be written by its group (mode 0664)");
        with(&file, 0o644);
        with(dir.path(), 0o777);
        assert_eq!(objection(&file).unwrap().unwrap(), "its directory can be written by everybody (mode 0777)");
        with(dir.path(), 0o700);
        let deeper = dir.path().join("a/b/x");
        fs::create_dir_all(deeper.parent().unwrap()).unwrap();
        fs::write(&deeper, "").unwrap();
        with(&dir.path().join("a"), 0o777);
        assert!(objection(&deeper).unwrap().unwrap().ends_with("a, above it, can be written by everybody (mode 0777)"));
        with(&dir.path().join("a"), 0o1777);
        assert_eq!(objection(&deeper).unwrap(), None);
        let status = fs::metadata(&file).unwrap();
        let stranger = status.uid() + 1;
        assert!(of_others(&status, [stranger; 3]).unwrap().starts_with("belongs to user"));
    }
}
