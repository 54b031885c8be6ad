//! The command lines that run a check or a saved case again.

use std::ffi::OsString;
use std::path::Path;

use plimsoll_engine::driver::quote;

use crate::args::{Subject, View};
use crate::shared::failure::Failure;
use crate::shared::session::find_runtime;

/// What decides a verdict, as words of a command line. The last word before an id is the caller's.
#[derive(Clone, Debug)]
pub struct ReplayCommand {
    /// The command that runs it elsewhere: `vm … --`; empty on this host.
    within: Vec<String>,
    options: Vec<String>,
}

impl ReplayCommand {
    /// That of a run with these options.
    pub fn of(subject: &Subject) -> Result<Self, Failure> {
        Ok(Self { within: subject.within.clone(), options: options(subject)? })
    }

    /// The words after `plimsoll` and before `--replay ID`.
    pub fn run(&self) -> Vec<String> {
        let subcommand = ["run".to_owned()];
        self.within.iter().chain(&subcommand).chain(&self.options).cloned().collect()
    }

    /// The line that tries a check again, all but its id.
    pub fn check(&self) -> String {
        line(self.run().into_iter().chain(["--replay".to_owned()]))
    }

    /// The line that tries a saved case again, behind a fault if there is one.
    pub fn case(&self, dir: &Path, fault: Option<String>) -> String {
        let case = ["replay".to_owned(), dir.to_string_lossy().into_owned()];
        let fault = fault.into_iter().flat_map(|fault| ["--fault".to_owned(), fault]);
        line(self.within.iter().chain(&case).chain(&self.options).cloned().chain(fault))
    }
}

pub fn line(words: impl Iterator<Item = String>) -> String {
    let words: Vec<OsString> = ["plimsoll".to_owned()].into_iter().chain(words).map(Into::into).collect();
    quote(&words)
}

/// The options that decide a verdict, as far as they are not what holds anyway. Paths are absolute.
fn options(subject: &Subject) -> Result<Vec<String>, Failure> {
    let given = |option: &str| subject.given.contains(&option);
    let mut words = Vec::new();
    let mut add = |option: &str, value: String| words.extend([format!("--{option}"), value]);
    if let [runtime] = subject.runtime.as_slice() {
        add("runtime", find_runtime(runtime)?.to_string_lossy().into_owned());
    }
    if subject.profile != "runc" || given("profile") {
        let path = Path::new(&subject.profile);
        let is_file =
            path.components().count() > 1 || path.is_file() && !["runc", "runsc"].contains(&&*subject.profile);
        let absolute = || std::path::absolute(path).map(|path| path.to_string_lossy().into_owned());
        add("profile", if is_file { absolute().map_err(Failure::usage)? } else { subject.profile.clone() });
    }
    if subject.cgroup_view != View::Host || given("cgroup_view") {
        add("cgroup-view", subject.cgroup_view.name().to_owned());
    }
    if let Some(release) = subject.spec {
        add("spec", release.to_string());
    }
    if subject.timeout != TIMEOUT || given("timeout") {
        add("timeout", subject.timeout.to_string());
    }
    if let Some(times) = subject.time_scale {
        add("time-scale", times.to_string());
    }
    Ok(words)
}

/// The default of `--timeout`, in seconds.
pub const TIMEOUT: u64 = 10;
