//! When an entry applies: for which runtimes, versions and hosts.

use semver::{Version, VersionReq};
use serde::Deserialize;

use super::Entry;
use crate::model::{Host, Report, Runtime};

/// A range of versions.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Range(VersionReq);

impl TryFrom<String> for Range {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let range = VersionReq::parse(&text);
        range.map(Self).map_err(|why| format!("{text:?} is not a version range, such as \">=1.2, <1.4\": {why}"))
    }
}

impl Range {
    fn holds(&self, text: &str) -> bool {
        version(text).is_some_and(|version| self.0.matches(&version))
    }
}

/// The first version in a text, without what comes behind its third number: `1.28` of `crun version 1.28` is 1.28.0, and
/// a build of a distribution (`1.1.5+ds1`) or a release candidate counts as the release.
fn version(text: &str) -> Option<Version> {
    let start = |word: &&str| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let word = text.split_whitespace().find(start)?.trim_start_matches('v');
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    let mut numbers = word[..end].split('.').map(|number| number.parse().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    Some(Version::new(next(), next(), next()))
}

impl Entry {
    /// Whether it says something of this runtime on this host. What it leaves out holds of every one.
    pub(super) fn concerns(&self, report: &Report) -> bool {
        self.is_of(&report.runtime, &report.host)
    }

    /// As [`Entry::concerns`], of a runtime and a host.
    pub(super) fn is_of(&self, runtime: &Runtime, host: &Host) -> bool {
        let name = runtime.name();
        any(&self.runtime, |text| name.split_whitespace().next() == Some(text))
            && any(&self.versions, |text| runtime.version.raw().contains(text))
            && self.version.as_ref().is_none_or(|range| range.holds(runtime.version.raw()))
            && any(&self.cgroups, |text| host.cgroups == text)
            && self.kernel.as_ref().is_none_or(|range| range.holds(&host.kernel))
            && any(&self.lsms, |text| has(&host.lsms, text))
            && any(&self.lacking, |text| host.missing_capabilities.iter().any(|missing| missing == text))
    }
}

/// Whether this name is among them, or, behind a `!`, is not.
fn has(names: &[String], text: &str) -> bool {
    let there = |name: &str| names.iter().any(|own| own == name);
    text.strip_prefix('!').map_or_else(|| there(text), |name| !there(name))
}

/// Whether one of the texts holds, or there are none.
fn any(texts: &[String], holds: impl Fn(&str) -> bool) -> bool {
    texts.is_empty() || texts.iter().any(|text| holds(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_runtimes_print() {
        let found = |text| version(text).map(|version| version.to_string());
        assert_eq!(found("runc version 1.1.5+ds1").as_deref(), Some("1.1.5"));
        assert_eq!(found("crun version 1.28").as_deref(), Some("1.28.0"));
        assert_eq!(found("runsc version release-20240729.0"), None);
        assert_eq!(found("youki version: v0.5.7-rc1").as_deref(), Some("0.5.7"));
        assert_eq!(found("6.18.44-fc-v669").as_deref(), Some("6.18.44"));
        assert_eq!(found(""), None);
    }
}
