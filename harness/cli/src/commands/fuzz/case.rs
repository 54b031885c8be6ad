//! A case on disk. `case.json` holds the input and the property that it violates; `config.json` is for readers.

use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_engine::check::Check;
use plimsoll_fixtures::{Config, Edit};
use plimsoll_foreign::{beneath, name, read};
use plimsoll_suites::fuzz::bundle::fragment::recipe;
use plimsoll_suites::fuzz::input::Input;
use plimsoll_suites::fuzz::vet;
use plimsoll_suites::renamed;
use serde::{Deserialize, Serialize};

use crate::shared::failure::Failure;

/// A minimal case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedCase {
    /// In one line.
    pub description: String,
    /// The property that it broke.
    pub property: String,
    /// The ids of the clauses that the property rests on.
    pub clauses: Vec<String>,
    /// The runtime that broke it.
    pub runtime: String,
    /// What the case was drawn from.
    pub seed: u64,
    /// The number of the case.
    pub case: Option<u64>,
    /// What is tried.
    #[serde(alias = "subject")]
    pub input: Input,
}

impl SavedCase {
    /// Reads the case in a directory, which anybody may have written: it must be one that this suite could have found.
    pub fn read(dir: &Path, checks: &[Check]) -> Result<Self, Failure> {
        let path = dir.join("case.json");
        let text = read::file(&path, read::CASE);
        let text = text.map_err(|why| Failure::Usage(format!("no case in {}: {why}", dir.display())))?;
        let mut kept: Self = serde_json::from_slice(&text)
            .map_err(|why| Failure::Usage(format!("{} is not a saved case: {why}", path.display())))?;
        kept.property = renamed::current(&kept.property).to_owned();
        if let Input::Bundle(fragments) = &mut kept.input {
            fragments.iter_mut().for_each(|fragment| fragment.name = renamed::current(&fragment.name).to_owned());
        }
        match vet::objection(&kept.input, checks) {
            None => Ok(kept),
            Some(why) => Err(Failure::Usage(format!("{} is refused: {why}", path.display()))),
        }
    }

    /// Writes it to a directory, which is made.
    pub fn write(&self, dir: &Path) -> Result<(), Failure> {
        let failed = |why: std::io::Error| Failure::Host(format!("cannot save a case in {}: {why}", dir.display()));
        let root = beneath::own_directory(dir).map_err(failed)?;
        let mut text = serde_json::to_string_pretty(self).map_err(Failure::host)?;
        text.push('\n');
        root.file(Path::new("case.json"), text.as_bytes(), 0o644).map_err(failed)?;
        let Input::Bundle(fragments) = &self.input else { return Ok(()) };
        let config = recipe(fragments).config_of(Config::base());
        root.file(Path::new("config.json"), format!("{:#}\n", config.0).as_bytes(), 0o644).map_err(failed)
    }
}

/// Copies a saved case into the corpus.
pub fn add(dir: &Path, name: Option<&str>, corpus: &Path) -> Result<(), Failure> {
    let kept = SavedCase::read(dir, &plimsoll_suites::all())?;
    let own = dir.canonicalize().ok().and_then(|dir| dir.file_name().map(|name| name.to_string_lossy().into_owned()));
    let name = name.map(str::to_owned).or(own).unwrap_or_else(|| kept.property.clone());
    let place = below(corpus, &name)?;
    if fs::symlink_metadata(&place).is_ok() {
        return Err(Failure::Usage(format!("{} exists; choose another --name", place.display())));
    }
    beneath::own_directory(corpus)
        .map_err(|why| Failure::Usage(format!("cannot use the corpus {}: {why}", corpus.display())))?;
    kept.write(&place)
}

/// A directory of this name below another.
pub fn below(dir: &Path, name: &str) -> Result<PathBuf, Failure> {
    let name = name::of_file(name)
        .map_err(|why| Failure::Usage(format!("the name {name:?} {why}: use the name of a directory, not a path")))?;
    Ok(dir.join(name))
}

/// The cases of a corpus, sorted by name.
pub fn list(corpus: &Path, checks: &[Check]) -> Result<Vec<(String, SavedCase)>, Failure> {
    let entries =
        fs::read_dir(corpus).map_err(|why| Failure::Usage(format!("no corpus {}: {why}", corpus.display())))?;
    let mut cases = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Failure::host)?;
        let kind = entry.file_type().map_err(Failure::host)?;
        if kind.is_symlink() {
            return Err(Failure::Usage(format!("{} is a symbolic link, not a case", entry.path().display())));
        }
        if kind.is_dir() {
            cases.push((entry.file_name().to_string_lossy().into_owned(), SavedCase::read(&entry.path(), checks)?));
        }
    }
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(cases)
}

/// What an input is, in one line.
pub fn describe(input: &Input) -> String {
    match input {
        Input::Bundle(fragments) => {
            let edits: Vec<String> = recipe(fragments).edits.iter().map(edit).collect();
            edits.join(", ")
        }
        other => other.parts().join(", "),
    }
}

fn edit(edit: &Edit) -> String {
    let member = |pointer: &str| pointer.trim_start_matches('/').replace('/', ".");
    let short = |value: &serde_json::Value| {
        let text = value.to_string();
        let head: String = text.chars().take(160).collect();
        if head.len() < text.len() { format!("{head}…") } else { head }
    };
    match edit {
        Edit::Set(pointer, value) => format!("{} = {}", member(pointer), short(value)),
        Edit::Push(pointer, value) => format!("{} + {}", member(pointer), short(value)),
        Edit::Remove(pointer) => format!("no {}", member(pointer)),
        Edit::Raw(bytes) => format!("config.json of {} bytes", bytes.len()),
        Edit::File(path, ..) => format!("file {path}"),
        Edit::Directory(path, _) => format!("directory {path}"),
        Edit::Symlink(path, target) => format!("link {path} to {target}"),
        Edit::Owner(path, uid, gid) => format!("{path} of {uid}:{gid}"),
        Edit::Probe(path) => format!("probe {path}"),
        Edit::Device(path, kind, major, minor) => format!("device {path} {kind} {major}:{minor}"),
        Edit::SetUserId(path) => format!("set-user-id program {path}"),
        Edit::Foreign(path) => format!("program of 32 bits {path}"),
        Edit::Tmpfs(path, options) => format!("tmpfs {path} {}", options.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_engine::batch;
    use plimsoll_engine::check::Body;
    use plimsoll_suites::fuzz::bundle::fragment::Fragment;

    use super::*;

    #[test]
    fn a_case_with_old_ids_is_read() {
        let checks = plimsoll_suites::all();
        let check = checks.iter().find(|check| check.id == "namespaces.pid.init/new").unwrap();
        let Body::Case(case) = check.body else { panic!("{} is a scenario", check.id) };
        let fragment = Fragment { name: check.id.clone(), edits: batch::recipe(case).edits };
        let saved = SavedCase {
            description: String::new(),
            property: "namespaces.pid.init".to_owned(),
            clauses: Vec::new(),
            runtime: String::new(),
            seed: 1,
            case: None,
            input: Input::Bundle(vec![fragment]),
        };
        let dir = tempfile::tempdir().unwrap();
        saved.write(dir.path()).unwrap();
        let path = dir.path().join("case.json");
        let text = read::text(&path, read::CASE).unwrap();
        fs::write(&path, text.replace("pid.init", "pid.first-process").replace("\"input\"", "\"subject\"")).unwrap();
        assert_eq!(SavedCase::read(dir.path(), &checks).unwrap(), saved);
    }
}
