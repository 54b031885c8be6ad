//! The files that a program needs to run: its loader and shared libraries, found as ld.so(8) finds them, or the interpreter of a script.
//! They are packed under the paths that the loader will use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use goblin::elf::Elf;

use crate::error::Error;
use crate::pack::read_program;

/// Where the loader looks after everything that a program itself names.
const DEFAULT_DIRECTORIES: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// The list of the loader's further directories, and the cache that is made of it.
const LOADER_CONFIG: &str = "/etc/ld.so.conf";
const LOADER_CACHE: &str = "/etc/ld.so.cache";

/// A program with all that it needs, by the paths that are to lead to it.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Reads a program and, as far as it is dynamic or a script, what it needs.
///
/// # Errors
/// When a file cannot be read or a library is not to be found.
pub fn of(program: &Path) -> Result<Files, Error> {
    let mut closure = Closure { files: Files::new(), directories: loader_directories(Path::new(LOADER_CONFIG)) };
    closure.add(program, &[])?;
    // Libraries were found by configuration: the loader inside must come to the same ones.
    if closure.files.len() > 1
        && let Ok(cache) = read_program(Path::new(LOADER_CACHE))
    {
        closure.files.insert(LOADER_CACHE.into(), cache);
    }
    Ok(closure.files)
}

struct Closure {
    files: Files,
    directories: Vec<PathBuf>,
}

impl Closure {
    /// Adds a file; `inherited` are the directories that the programs above it name for their whole tree (`RPATH`).
    fn add(&mut self, path: &Path, inherited: &[PathBuf]) -> Result<(), Error> {
        if self.files.contains_key(path) {
            return Ok(());
        }
        let bytes = read_program(path).map_err(Error::reading(path))?;
        self.files.insert(path.to_owned(), bytes.clone());
        if let Some(interpreter) = script_interpreter(&bytes) {
            return self.add(&interpreter, &[]);
        }
        // Anything that is not ELF is data, or a program that the kernel will refuse by itself.
        let Ok(elf) = Elf::parse(&bytes) else { return Ok(()) };
        if let Some(loader) = elf.interpreter {
            self.add(Path::new(loader), &[])?;
        }
        let search = Search::of(&elf, path, inherited, &self.directories);
        for name in &elf.libraries {
            let found = search.find(name, elf.is_64);
            let library = found.ok_or_else(|| Error::Library { name: (*name).to_owned(), of: path.to_owned() })?;
            self.add(&library, &search.passed_on)?;
        }
        Ok(())
    }
}

/// The directories that one file's libraries are looked for in, in order.
struct Search {
    directories: Vec<PathBuf>,
    /// What its libraries inherit.
    passed_on: Vec<PathBuf>,
}

impl Search {
    fn of(elf: &Elf<'_>, path: &Path, inherited: &[PathBuf], further: &[PathBuf]) -> Self {
        let named = |lists: &[&str]| -> Vec<PathBuf> {
            let parts = lists.iter().flat_map(|list| list.split(':')).filter(|part| !part.is_empty());
            parts.map(|part| expand(part, path)).collect()
        };
        let (rpath, runpath) = (named(&elf.rpaths), named(&elf.runpaths));
        // A file with RUNPATH has no use for any RPATH, its own or inherited.
        let passed_on: Vec<PathBuf> =
            if runpath.is_empty() { [rpath.as_slice(), inherited].concat() } else { Vec::new() };
        Self { directories: [passed_on.as_slice(), &runpath, further].concat(), passed_on }
    }

    fn find(&self, name: &str, is_64: bool) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(name.into());
        }
        let defaults = DEFAULT_DIRECTORIES.iter().map(PathBuf::from);
        let places = self.directories.iter().cloned().chain(defaults).map(|directory| directory.join(name));
        places.into_iter().find(|path| is_library(path, is_64))
    }
}

/// Whether the loader would take it: directories may hold the same library for another word size.
fn is_library(path: &Path, is_64: bool) -> bool {
    read_program(path)
        .is_ok_and(|bytes| bytes.starts_with(b"\x7fELF") && bytes.get(4) == Some(&if is_64 { 2 } else { 1 }))
}

/// `$ORIGIN` is the directory of the file that names it.
fn expand(part: &str, of: &Path) -> PathBuf {
    let origin = fs::canonicalize(of).ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default();
    let origin = origin.to_string_lossy();
    PathBuf::from(part.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
}

/// The program that the first line of a script names.
fn script_interpreter(bytes: &[u8]) -> Option<PathBuf> {
    let line = bytes.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    String::from_utf8_lossy(line).split_whitespace().next().map(PathBuf::from)
}

/// The directories that ld.so.conf lists, with the files that it includes.
fn loader_directories(config: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    read_loader_config(config, &mut found, &mut seen);
    found
}

fn read_loader_config(config: &Path, found: &mut Vec<PathBuf>, seen: &mut BTreeSet<PathBuf>) {
    // A host without this file has the default directories only.
    let Ok(config) = fs::canonicalize(config) else { return };
    let Ok(text) = read_program(&config) else { return };
    if !seen.insert(config.clone()) {
        return;
    }
    let text = String::from_utf8_lossy(&text);
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        match line.strip_prefix("include ") {
            Some(pattern) => {
                included(&config, pattern.trim()).iter().for_each(|file| read_loader_config(file, found, seen))
            }
            None if line.starts_with('/') => found.push(line.into()),
            None => {}
        }
    }
}

/// The files that an `include DIRECTORY/*SUFFIX` means, in order.
fn included(config: &Path, pattern: &str) -> Vec<PathBuf> {
    let pattern = config.parent().unwrap_or(Path::new("/")).join(pattern);
    let (Some(directory), Some(name)) = (pattern.parent(), pattern.file_name()) else { return Vec::new() };
    let name = name.to_string_lossy();
    let Some((prefix, suffix)) = name.split_once('*') else { return vec![pattern.clone()] };
    let matches = |entry: &Path| {
        let entry = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        entry.starts_with(prefix) && entry.ends_with(suffix)
    };
    let listed = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<PathBuf>>>());
    let mut files: Vec<PathBuf> = listed.unwrap_or_default().into_iter().filter(|path| matches(path)).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_brings_loader_and_libraries() {
        let files = match of(Path::new("/bin/sh")) {
            Ok(files) => files,
            Err(why) => panic!("{why}"),
        };
        let is_dynamic = Elf::parse(&files[Path::new("/bin/sh")]).unwrap().interpreter.is_some();
        if !is_dynamic {
            println!("skipped: /bin/sh is static here");
            return;
        }
        let named = |part: &str| files.keys().any(|path| path.to_string_lossy().contains(part));
        assert!(named("ld-") && named("libc.so"), "{:?}", files.keys());
    }

    #[test]
    fn a_script_brings_its_interpreter() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("script");
        fs::write(&script, "#! /bin/sh -e\nexit 0\n").unwrap();
        let files = of(&script).unwrap();
        assert!(files.contains_key(Path::new("/bin/sh")) && files.contains_key(&script));
    }

    #[test]
    fn a_static_program_and_data_bring_themselves_alone() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        fs::write(&data, "plain").unwrap();
        assert_eq!(of(&data).unwrap().len(), 1);
        assert!(of(&dir.path().join("none")).unwrap_err().to_string().contains("none"));
    }

    #[test]
    fn the_loader_configuration_includes_in_order() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("d")).unwrap();
        fs::write(dir.path().join("ld.so.conf"), "/first # one\ninclude d/*.conf\n/last\n").unwrap();
        fs::write(dir.path().join("d/b.conf"), "/second\ninclude ../ld.so.conf\n").unwrap();
        fs::write(dir.path().join("d/other"), "/not-this\n").unwrap();
        let found = loader_directories(&dir.path().join("ld.so.conf"));
        assert_eq!(found, ["/first", "/second", "/last"].map(PathBuf::from));
    }

    #[test]
    fn origin_is_the_directory_of_the_file() {
        assert_eq!(expand("$ORIGIN/../lib", Path::new("/bin/../proc/self/exe")).to_string_lossy().find("$"), None);
        assert_eq!(expand("/plain", Path::new("/none")), Path::new("/plain"));
    }
}
