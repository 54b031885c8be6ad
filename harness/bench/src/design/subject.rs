//! What is measured: a runtime and its profile, or the floor.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use plimsoll_engine::host;
use plimsoll_engine::profile::{BUILT_IN, Op, Profile, Values};
use plimsoll_engine::run_sandbox::RunSandbox;
use plimsoll_engine::settings::Settings;
use plimsoll_fixtures::floor::PROGRAM;
use plimsoll_reports::model::Runtime;

use crate::call::Call;
use crate::floor::PLAN;
use crate::site::Site;

/// Something that makes containers.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it is called in the report; no other subject is called so.
    pub name: String,
    /// How it is called.
    pub settings: Settings,
    /// Facts of its binary.
    pub runtime: Runtime,
    /// Its state directory.
    pub root: PathBuf,
    /// Whether it is the bare work of the kernel. It has no operation but `run`.
    pub floor: bool,
}

impl Subject {
    /// A call of an operation for this container; `None` when the subject does not have the operation.
    ///
    /// # Errors
    /// When a word cannot be handed to the kernel.
    pub fn call(&self, op: Op, site: &Site, more: impl FnOnce(Values) -> Values) -> io::Result<Option<Call>> {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let values = Values::default()
            .with("root", text(&self.root))
            .with("id", &site.id)
            .with("bundle", text(&site.bundle))
            .with("pid-file", text(&site.pid_file))
            .with("plan", text(&site.bundle.join(PLAN)));
        let Some(words) = self.settings.profile.words(op, &more(values)) else { return Ok(None) };
        Call::new(self.settings.command(words), &self.settings.environment(), &self.settings.dir).map(Some)
    }

    /// As the report has it.
    #[must_use]
    pub fn facts(&self) -> plimsoll_reports::model::bench::Subject {
        let (name, runtime) = (self.name.clone(), self.runtime.clone());
        plimsoll_reports::model::bench::Subject { name, runtime, floor: self.floor }
    }
}

/// The name of the floor.
pub const FLOOR: &str = "floor";

/// The floor, to be measured beside a runtime with these settings. It is written to the sandbox: a tmpfs, so that no disk is in
/// its figures. It has nothing but `run`, and is told what to do by the plan in the bundle.
///
/// # Errors
/// When it cannot be written or executed.
pub fn floor(like: &Settings, sandbox: &RunSandbox) -> io::Result<Subject> {
    let file = sandbox.dir.join(FLOOR);
    fs::write(&file, PROGRAM)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    let operation = [(Op::Run, "{plan}".to_owned())].into_iter().collect();
    let (name, global, version) = (FLOOR.to_owned(), String::new(), String::new());
    let profile = Profile { name, global, version, operation, ..like.profile.clone() };
    let settings = Settings { runtime: file, subcommand: None, profile, ..like.clone() };
    let runtime = host::runtime(&settings, &plimsoll_engine::self_report::SelfReport::default())?;
    Ok(Subject { name: FLOOR.to_owned(), root: settings.dir.join("state-floor"), settings, runtime, floor: true })
}

/// The built-in profile that is for a runtime which says this of its version; the first when none is.
#[must_use]
pub fn profile_for(version: &str) -> Option<Profile> {
    let profiles: Vec<Profile> = BUILT_IN.iter().filter_map(|(name, _)| Profile::load(name).ok()).collect();
    let fitting = profiles.iter().position(|profile| profile.is_for(version)).unwrap_or(0);
    profiles.into_iter().nth(fitting)
}

/// A name for each path: that of the file; with a number where several have the same.
#[must_use]
pub fn names(paths: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let all: Vec<String> = paths.iter().map(short).collect();
    let numbered = |(at, name): (usize, &String)| match all[..at].iter().filter(|other| *other == name).count() {
        0 => name.clone(),
        before => format!("{name} ({})", before + 1),
    };
    all.iter().enumerate().map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_name_of_its_own() {
        let paths = ["/a/runc", "/b/crun", "/c/runc", "/a/runc"].map(PathBuf::from);
        assert_eq!(names(&paths), ["runc", "crun", "runc (2)", "runc (3)"]);
    }

    #[test]
    fn the_version_tells_the_profile() {
        assert_eq!(profile_for("runsc version x").unwrap().name, "runsc");
        assert_eq!(profile_for("crun version 1").unwrap().name, "runc");
        assert_eq!(profile_for("something else").unwrap().name, "runc");
    }
}
