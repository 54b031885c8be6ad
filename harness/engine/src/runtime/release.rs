//! Releases of the specification: which one a runtime is tested against, and which clauses are older.

use serde_json::Value;

/// A release, such as 1.0.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u32, pub u32, pub u32);

/// The release for a runtime that claims none: the last one before `features`.
pub const UNCLAIMED: Release = Release(1, 0, 2);

/// Later than each release: what is under discussion.
pub const NEXT: Release = Release(u32::MAX, 0, 0);

impl Release {
    /// What a configuration says that is judged by this release.
    #[must_use]
    pub fn version(self) -> String {
        let newest = KNOWN.last().copied().unwrap_or(UNCLAIMED);
        if self == NEXT { newest.to_string() } else { self.to_string() }
    }

    /// The release that a features document claims; one that says nothing of it claims none.
    #[must_use]
    pub fn claimed_in(features: &Value) -> Option<Self> {
        features["ociVersionMax"].as_str().and_then(Self::parse)
    }

    /// Reads `1.0.2`, `v1.1.0` or `1.0.2-dev`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "next" {
            return Some(NEXT);
        }
        let plain = text.trim().trim_start_matches('v');
        let plain = plain.split(['-', '+']).next().unwrap_or(plain);
        let numbers: Vec<u32> = plain.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        if let [major, minor, patch] = numbers[..] { Some(Self(major, minor, patch)) } else { None }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == NEXT { f.write_str("next") } else { write!(f, "{}.{}.{}", self.0, self.1, self.2) }
    }
}

/// The releases that the specification has had, and that a user may judge by.
pub const KNOWN: &[Release] = &[
    Release(1, 0, 0),
    Release(1, 0, 1),
    Release(1, 0, 2),
    Release(1, 1, 0),
    Release(1, 2, 0),
    Release(1, 2, 1),
    Release(1, 3, 0),
];

impl std::str::FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).filter(|release| *release == NEXT || KNOWN.contains(release)).ok_or_else(|| {
            let known: Vec<String> = KNOWN.iter().map(ToString::to_string).collect();
            format!("`{text}` is not a release of the specification; use {}, or next for drafts", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_and_compared() {
        assert_eq!(Release::parse("v1.0.2"), Some(Release(1, 0, 2)));
        assert_eq!(Release::parse("1.1.0+dev"), Some(Release(1, 1, 0)));
        assert!(Release::parse("1.10.0") > Release::parse("1.9.9"));
        assert_eq!(Release::parse("1.0"), None);
        assert_eq!(Release::parse("one"), None);
        assert_eq!("1.2.1".parse(), Ok(Release(1, 2, 1)));
        assert!("1.9.9".parse::<Release>().unwrap_err().contains("1.2.1, 1.3.0, or next"));
        assert_eq!(
            "next".parse::<Release>().map(|next| (next.to_string(), next.version())),
            Ok(("next".into(), "1.3.0".into()))
        );
    }
}
