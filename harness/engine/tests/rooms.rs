//! The modules of the engine stand in rooms, each of which builds only on those before it; and no two modules of a room need each
//! other, unless their files say why.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// In the order in which each builds on those before it.
const ROOMS: [&str; 7] = ["system", "sandbox", "guard", "runtime", "containers", "checks", "run"];

/// Modules that need each other; `containers/lab.rs` says why.
const TOGETHER: [&str; 4] = ["containers::container", "containers::foreground", "containers::lab", "containers::way"];

/// Which modules each module imports, by `room::module`.
type Imports = BTreeMap<String, BTreeSet<String>>;

fn files(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, found)? } else { found.push(path) }
    }
    Ok(())
}

/// What is compiled into the library: no comments, no tests.
#[expect(clippy::disallowed_methods, reason = "the sources of this crate are no foreign files")]
fn code(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    Ok(text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n"))
}

/// `room::module` for each `crate::room::module` in the text, and for each name of `crate::room::{…}` and `super::…` in a file that
/// stands directly in a room.
fn imported(text: &str, room: &str, stands_in_room: bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |room: &str, rest: &str| {
        let names = rest.strip_prefix('{').map_or(rest, |list| list.split("};").next().unwrap_or_default());
        let names: Vec<&str> = if names.len() == rest.len() { vec![rest] } else { names.split(',').collect() };
        found.extend(names.into_iter().map(|name| format!("{room}::{}", word(name.trim()))));
    };
    for rest in text.split("crate::").skip(1) {
        let other = word(rest);
        if let Some(rest) = rest[other.len()..].strip_prefix("::") {
            add(other, rest);
        }
    }
    if stands_in_room {
        text.split("super::").skip(1).for_each(|rest| add(room, rest));
    }
    found
}

/// The name that a text begins with.
fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap_or_default()
}

fn imports() -> io::Result<Imports> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&src, &mut found)?;
    let mut imports = Imports::new();
    for path in found {
        let place = path.strip_prefix(&src).unwrap().with_extension("");
        let parts: Vec<&str> = place.iter().map(|part| part.to_str().unwrap()).collect();
        let is_for_tests = parts.iter().any(|part| ["tests", "testing"].contains(part));
        if parts == ["lib"] || is_for_tests || parts.len() == 2 && parts[1] == "mod" {
            continue;
        }
        assert!(ROOMS.contains(&parts[0]) && parts.len() > 1, "{} stands in no room", path.display());
        let imported = imported(&code(&path)?, parts[0], parts.len() == 2);
        imports.entry(format!("{}::{}", parts[0], parts[1])).or_default().extend(imported);
    }
    let modules: BTreeSet<String> = imports.keys().cloned().collect();
    for (module, imported) in &mut imports {
        imported.retain(|other| modules.contains(other) && other != module);
    }
    Ok(imports)
}

fn room(module: &str) -> usize {
    ROOMS.iter().position(|room| module.split("::").next() == Some(room)).unwrap()
}

/// The modules that can be reached from this one.
fn reached<'i>(imports: &'i Imports, from: &'i str) -> BTreeSet<&'i str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(module) = next.pop() {
        let new = imports[module].iter().map(String::as_str).filter(|other| reached.insert(*other));
        next.extend(new.collect::<Vec<_>>());
    }
    reached
}

#[test]
fn no_room_imports_a_later_one() {
    let imports = imports().unwrap();
    assert!(imports.len() > 50, "{} modules", imports.len());
    for (module, imported) in &imports {
        let later: Vec<&String> = imported.iter().filter(|other| room(other) > room(module)).collect();
        assert!(later.is_empty(), "{module} imports {later:?}, which stand in a later room");
    }
}

#[test]
fn no_two_modules_need_each_other() {
    let imports = imports().unwrap();
    let in_circle = |module: &&String| reached(&imports, module).contains(module.as_str());
    let found: Vec<&String> = imports.keys().filter(in_circle).collect();
    assert_eq!(found, TOGETHER, "modules that import each other, perhaps by way of others");
}

#[test]
fn imports_are_read_in_each_form() {
    let text = "use crate::system::{cgroup, sys};\nuse crate::guard::kernel::value;\nuse super::loops;\nlet x = crate::run::host::f();";
    let found: Vec<String> = imported(text, "guard", true).into_iter().collect();
    assert_eq!(found, ["guard::kernel", "guard::loops", "run::host", "system::cgroup", "system::sys"]);
    assert!(!imported("use super::loops;", "guard", false).contains("guard::loops"));
}
