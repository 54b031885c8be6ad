//! Known deviations as data: a TOML file says which check gets which verdict from which runtime, and why. What is known
//! does not turn a run red; what is no longer so does.

use std::path::Path;

use globset::{Glob, GlobMatcher};
use serde::Deserialize;

use crate::model::{Check, Known, Report, Verdict};

/// A file of expectations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// The entries, in order; the first one that matches counts.
    #[serde(default)]
    expect: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Globs of check ids.
    checks: Vec<Pattern>,
    /// The verdict that they get.
    verdict: Verdict,
    /// Why: what the runtime does, in one sentence.
    reason: String,
    /// Where that is discussed in public.
    #[serde(default)]
    link: String,
    /// Texts of which one must be in the runtime's version line; none means every runtime.
    #[serde(default)]
    versions: Vec<String>,
    /// Cgroup modes of hosts of which one must be that of the report; none means every host.
    #[serde(default)]
    cgroups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Pattern(GlobMatcher);

impl TryFrom<String> for Pattern {
    type Error = globset::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(Self(Glob::new(&text)?.compile_matcher()))
    }
}

/// A file of expectations that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExpectationsError {
    /// It cannot be read.
    #[error("cannot read expectations {path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a file of expectations.
    #[error("expectations {path}, line {line}: {why}")]
    Malformed {
        /// The file.
        path: String,
        /// Where, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
}

impl Expectations {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read or is malformed; the text names file and line.
    pub fn read(path: &Path) -> Result<Self, ExpectationsError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&name, &text),
            Err(source) => Err(ExpectationsError::Io { path: name, source }),
        }
    }

    fn parse(path: &str, text: &str) -> Result<Self, ExpectationsError> {
        toml::from_str(text).map_err(|why| {
            let before = why.span().map_or("", |span| &text[..span.start.min(text.len())]);
            let line = before.matches('\n').count() + 1;
            ExpectationsError::Malformed { path: path.to_owned(), line, why: why.message().replace('\n', " ") }
        })
    }

    /// Notes in each check of the report what was expected of it. Returns what a user should know of the file: entries
    /// that say something of this runtime and of no check in the report.
    pub fn apply(&self, report: &mut Report) -> Vec<String> {
        let (version, cgroups) = (report.runtime.version.clone(), report.host.cgroups.clone());
        let entries: Vec<&Entry> = self.expect.iter().filter(|entry| entry.concerns(&version, &cgroups)).collect();
        for check in &mut report.checks {
            let entry = entries.iter().find(|entry| entry.matches(&check.id));
            check.known = check.known.take().or_else(|| entry.map(|entry| entry.known()));
        }
        let matches = |entry: &&&Entry| report.checks.iter().any(|check| entry.matches(&check.id));
        let unused = entries.iter().filter(|entry| !matches(entry));
        unused.map(|entry| format!("no check of this run is meant by the expectation {}", entry.name())).collect()
    }
}

impl Entry {
    fn concerns(&self, version: &str, cgroups: &str) -> bool {
        let any = |texts: &[String], holds: &dyn Fn(&str) -> bool| texts.is_empty() || texts.iter().any(|t| holds(t));
        any(&self.versions, &|text| version.contains(text)) && any(&self.cgroups, &|text| cgroups == text)
    }

    fn matches(&self, id: &str) -> bool {
        self.checks.iter().any(|pattern| pattern.0.is_match(id))
    }

    fn known(&self) -> Known {
        Known { verdict: self.verdict, reason: self.reason.clone(), link: self.link.clone() }
    }

    fn name(&self) -> String {
        self.checks.iter().map(|pattern| format!("`{}`", pattern.0.glob())).collect::<Vec<_>>().join(", ")
    }
}

impl Check {
    /// Whether the verdict is one that makes a run red: a failure or time-out that nobody expected, or another verdict
    /// than the expected one. A check that did not run says nothing.
    #[must_use]
    pub fn is_red(&self) -> bool {
        match (&self.known, self.verdict) {
            (_, Verdict::Skip | Verdict::Error) => false,
            (Some(known), verdict) => verdict != known.verdict,
            (None, verdict) => matches!(verdict, Verdict::Fail | Verdict::Timeout),
        }
    }

    /// Whether it deviates, and just as expected.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.verdict == self.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_file_and_line() {
        let text = |text: &str| Expectations::parse("e.toml", text).unwrap_err().to_string();
        let head = "[[expect]]\nchecks = [\"a\"]\nreason = \"x\"\n";
        assert!(
            text(&format!("{head}verdict = \"maybe\"\n")).starts_with("expectations e.toml, line 4: unknown variant")
        );
        assert!(text("[[expect]]\nchecks = [\"a[\"]\n").starts_with("expectations e.toml, line 2: error parsing glob"));
        assert!(text("[[expect]]\nchecks = []\ntypo = 1\n").contains("unknown field `typo`"));
    }
}
