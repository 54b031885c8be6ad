//! Known deviations as data: a TOML file says which check gets which verdict from which runtime, and why. A known deviation does not fail
//! a run; one that no longer occurs does.

mod condition;
mod update;

use std::path::Path;

use chrono::NaiveDate;
use globset::{Glob, GlobMatcher};
use plimsoll_foreign::read;
use serde::Deserialize;
use toml::Spanned;

pub use update::Update;

use crate::ids::{FormerIds, Ids};
use crate::model::{Check, Host, Known, Report, Runtime, Verdict};
use condition::Range;

/// A file of expectations.
#[derive(Debug, Default)]
pub struct Expectations {
    /// The file, for messages.
    path: String,
    /// The entries, in order, with their lines; the first one that matches counts.
    entries: Vec<(usize, Entry)>,
    /// Gives the former ids of a check, if any are known.
    former: Option<FormerIds>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    expect: Vec<Spanned<Entry>>,
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
    /// Whether it comes and goes: a pass is as good then, and so is a warning.
    #[serde(default)]
    sometimes: bool,
    /// The last day on which it is to be believed without another look, such as `2027-06-30`.
    expires: Option<Day>,
    /// Names of runtimes that it is of: the first word of the version line, or the file name.
    #[serde(default)]
    runtime: Vec<String>,
    /// Texts of which one must be in the runtime's version line; none means every version.
    #[serde(default)]
    versions: Vec<String>,
    /// The range of versions of the runtime, such as `>=1.2, <1.4`.
    version: Option<Range>,
    /// Cgroup modes of which one must be that of the host; none means every host.
    #[serde(default)]
    cgroups: Vec<String>,
    /// The range of releases of the kernel, such as `<6.1`.
    kernel: Option<Range>,
    /// Security modules, of which one must be in force on the host, or, behind a `!`, must not.
    #[serde(default)]
    lsms: Vec<String>,
    /// Capabilities, of which the harness must have lacked one.
    #[serde(default)]
    lacking: Vec<String>,
}

/// A day, written as a date of TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "toml::value::Datetime")]
struct Day(NaiveDate);

impl TryFrom<toml::value::Datetime> for Day {
    type Error = String;

    fn try_from(written: toml::value::Datetime) -> Result<Self, Self::Error> {
        let day = match (written.date, written.time) {
            (Some(date), None) => NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into()),
            _ => None,
        };
        day.map(Self).ok_or_else(|| format!("{written} is not a date, such as 2027-06-30"))
    }
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
        match read::given(path, read::SETTINGS) {
            Ok(text) => Self::parse(&name, &text),
            Err(why) => Err(ExpectationsError::Io { path: name, source: why.into() }),
        }
    }

    /// Reads the text of a file; `path` is for messages.
    ///
    /// # Errors
    /// When it is malformed; the text names file and line.
    pub fn parse(path: &str, text: &str) -> Result<Self, ExpectationsError> {
        let line = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
        let written: Written = toml::from_str(text).map_err(|why| {
            let line = line(why.span().map_or(0, |span| span.start));
            ExpectationsError::Malformed { path: path.to_owned(), line, why: why.message().replace('\n', " ") }
        })?;
        let located = |entry: Spanned<Entry>| (line(entry.span().start), entry.into_inner());
        Ok(Self { path: path.to_owned(), entries: written.expect.into_iter().map(located).collect(), former: None })
    }

    /// The same, with a function that gives the former ids of a check: entries that name a check by one of them still match.
    #[must_use]
    pub fn with_former_ids(mut self, former: FormerIds) -> Self {
        self.former = Some(former);
        self
    }

    /// All that a check is called.
    fn ids<'i>(&self, id: &'i str) -> Ids<'i> {
        Ids::of(id, self.former.unwrap_or(|_| Vec::new()))
    }

    /// What is known of the check of this id, for this runtime on this host.
    #[must_use]
    pub fn known(&self, id: &str, runtime: &Runtime, host: &Host) -> Option<Known> {
        let ids = self.ids(id);
        self.entries().find(|entry| entry.matches(&ids) && entry.is_of(runtime, host)).map(Entry::known)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|(_, entry)| entry)
    }

    /// Notes in each check of the report what was expected of it.
    pub fn apply(&self, report: &mut Report) {
        let entries: Vec<&Entry> = self.entries().filter(|entry| entry.concerns(report)).collect();
        for check in &mut report.checks {
            let ids = self.ids(&check.id);
            let entry = entries.iter().find(|entry| entry.matches(&ids) && !entry.is_away(&ids, check.verdict));
            check.known = check.known.take().or_else(|| entry.map(|entry| entry.known()));
        }
    }

    /// What means no check in the report, of the entries that say something of this runtime: one line an entry, with file
    /// and line.
    #[must_use]
    pub fn unused(&self, report: &Report) -> Vec<String> {
        let checks: Vec<Ids<'_>> = report.checks.iter().map(|check| self.ids(&check.id)).collect();
        self.notes(report, |entry| {
            let means_none =
                |pattern: &&Pattern| !pattern.is_of_fuzz() && !checks.iter().any(|ids| ids.are_meant_by(&pattern.0));
            let unused = names(entry.checks.iter().filter(means_none));
            (!unused.is_empty()).then(|| format!("no check of this run matches {unused}"))
        })
    }

    /// The entries that were to be looked at again before the run began, one line each with file and line. They count all
    /// the same.
    #[must_use]
    pub fn expired(&self, report: &Report) -> Vec<String> {
        let began = i64::try_from(report.started_at).ok().and_then(|at| chrono::DateTime::from_timestamp(at, 0));
        let today = began.map(|moment| moment.date_naive());
        self.notes(report, |entry| {
            let expires = entry.expires.filter(|day| today.is_some_and(|today| day.0 < today))?;
            Some(format!("expired on {}, to be reviewed: {}", expires.0, names(&entry.checks)))
        })
    }

    fn notes(&self, report: &Report, note: impl Fn(&Entry) -> Option<String>) -> Vec<String> {
        let concerned = self.entries.iter().filter(|(_, entry)| entry.concerns(report));
        let told = concerned.filter_map(|(line, entry)| Some(format!("{}, line {line}: {}", self.path, note(entry)?)));
        told.collect()
    }
}

impl Entry {
    fn matches(&self, ids: &Ids<'_>) -> bool {
        self.checks.iter().any(|pattern| ids.are_meant_by(&pattern.0))
    }

    /// Whether what comes and goes does not show in this verdict: that is another one, and nothing is broken by it. What an entry
    /// says of the suite as it is may show under a circumstance, and need not.
    fn is_away(&self, ids: &Ids<'_>, verdict: Verdict) -> bool {
        let is_required = !self.sometimes && self.checks.iter().any(|pattern| ids.are_required_by(&pattern.0));
        !is_required && verdict != self.verdict && matches!(verdict, Verdict::Pass | Verdict::Warn)
    }

    fn known(&self) -> Known {
        Known { verdict: self.verdict, reason: self.reason.clone(), link: self.link.clone() }
    }
}

impl Pattern {
    /// Whether it is about random cases, which a run has none of.
    fn is_of_fuzz(&self) -> bool {
        self.0.glob().glob().starts_with("fuzz.")
    }
}

fn names<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> String {
    patterns.into_iter().map(|pattern| format!("`{}`", pattern.0.glob())).collect::<Vec<_>>().join(", ")
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
