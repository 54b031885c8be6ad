//! Known deviations in a random search.

use std::path::PathBuf;

use plimsoll_engine::fuzz_case;
use plimsoll_reports::expectations::Expectations;
use plimsoll_reports::model::{Host, Known as Entry, Runtime, Verdict};
use plimsoll_suites::renamed;

use crate::shared::failure::Failure;

/// The files of known deviations.
pub struct KnownDeviations(Vec<Expectations>);

/// A known deviation, and the parts of a case that it is known of.
pub struct Recognised {
    pub known: Entry,
    /// Those that have to go for the search to get behind it; all when the whole case is meant.
    pub parts: Vec<String>,
}

/// A case that broke a property.
#[derive(Clone, Copy)]
pub struct Case<'c> {
    pub kind: &'c str,
    pub property: &'c str,
    pub parts: &'c [String],
    /// Whether nothing can be left out.
    pub minimal: bool,
}

impl KnownDeviations {
    /// Reads the files.
    pub fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let read = |path: &PathBuf| Expectations::read(path).map(|file| file.with_former_ids(renamed::former));
        let files: Result<_, _> = files.iter().map(read).collect();
        files.map(Self).map_err(Failure::usage)
    }

    /// What is known of a case of these parts that broke a property. A check whose edits are in the bundle and that is
    /// known to fail explains a breach of its own rule, and that the bundle does not run. Anything else has an entry of its
    /// own: `fuzz.KIND/PROPERTY/PART+PART`.
    /// In a minimal case such a check explains whatever is broken: it is needed for that.
    pub fn of(&self, case: &Case<'_>, runtime: &Runtime, host: &Host) -> Option<Recognised> {
        let Case { kind, property, parts, minimal } = *case;
        let entry = |id: &str| self.0.iter().find_map(|file| file.known(id, runtime, host));
        let broken = [Verdict::Fail, Verdict::Warn, Verdict::Timeout];
        let explains = |part: &&String| part.split('/').next() == Some(property) || is_of_engine(property) || minimal;
        let guilty: Vec<&String> = parts.iter().filter(explains).collect();
        let found: Vec<(&String, Entry)> = guilty.into_iter().filter_map(|part| Some((part, entry(part)?))).collect();
        let found: Vec<_> = found.into_iter().filter(|(_, known)| broken.contains(&known.verdict)).collect();
        if let Some((_, known)) = found.first() {
            let parts = found.iter().map(|(part, _)| (*part).clone()).collect();
            return Some(Recognised { known: known.clone(), parts });
        }
        let mut sorted = parts.to_vec();
        sorted.sort();
        let known = entry(&format!("fuzz.{kind}/{property}/{}", sorted.join("+")))?;
        Some(Recognised { known, parts: parts.to_vec() })
    }
}

/// Properties of the whole bundle: whatever is wrong with one of its edits breaks them.
fn is_of_engine(property: &str) -> bool {
    [fuzz_case::RUNS, fuzz_case::IN_TIME, fuzz_case::LEAVES_NOTHING].contains(&property)
}
