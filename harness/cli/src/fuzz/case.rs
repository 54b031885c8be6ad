//! A case on disk: `case.json` says what is tried and what it broke, and `config.json` is there to be read.

use std::fs;
use std::path::Path;

use plimsoll_fixtures::{Config, Edit};
use plimsoll_suites::fuzz::fragment::recipe;
use plimsoll_suites::fuzz::subject::Subject;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A minimal case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
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
    pub subject: Subject,
}

impl Kept {
    /// Reads the case in a directory.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("case.json");
        let text = fs::read(&path).map_err(|why| Failure::Usage(format!("no case in {}: {why}", dir.display())))?;
        serde_json::from_slice(&text).map_err(|why| Failure::Usage(format!("{} is no case: {why}", path.display())))
    }

    /// Writes it to a directory, which is made.
    pub fn write(&self, dir: &Path) -> Result<(), Failure> {
        let failed = |why: std::io::Error| Failure::Host(format!("cannot keep a case in {}: {why}", dir.display()));
        fs::create_dir_all(dir).map_err(failed)?;
        let mut text = serde_json::to_string_pretty(self).map_err(Failure::host)?;
        text.push('\n');
        fs::write(dir.join("case.json"), text).map_err(failed)?;
        let Subject::Bundle(fragments) = &self.subject else { return Ok(()) };
        let config = recipe(fragments).config_of(Config::base());
        fs::write(dir.join("config.json"), format!("{:#}\n", config.0)).map_err(failed)
    }
}

/// Copies a kept case into the corpus.
pub fn add(dir: &Path, name: Option<&str>, corpus: &Path) -> Result<(), Failure> {
    let kept = Kept::read(dir)?;
    let own = dir.canonicalize().ok().and_then(|dir| dir.file_name().map(|name| name.to_string_lossy().into_owned()));
    let name = name.map(str::to_owned).or(own).unwrap_or_else(|| kept.property.clone());
    let place = corpus.join(&name);
    if place.exists() {
        return Err(Failure::Usage(format!("{} is there already; give another --name", place.display())));
    }
    kept.write(&place)
}

/// The cases of a corpus, sorted by name.
pub fn list(corpus: &Path) -> Result<Vec<(String, Kept)>, Failure> {
    let entries =
        fs::read_dir(corpus).map_err(|why| Failure::Usage(format!("no corpus {}: {why}", corpus.display())))?;
    let mut cases = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Failure::host)?;
        if entry.path().is_dir() {
            cases.push((entry.file_name().to_string_lossy().into_owned(), Kept::read(&entry.path())?));
        }
    }
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(cases)
}

/// What a subject is, in one line.
pub fn describe(subject: &Subject) -> String {
    match subject {
        Subject::Bundle(fragments) => {
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
