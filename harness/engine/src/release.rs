//! Releases of the specification: which one a runtime is judged by, and which clauses are older.

/// A release, such as 1.0.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub u32, pub u32, pub u32);

/// What a runtime is judged by that claims nothing: the last release before runtimes could tell.
pub const UNCLAIMED: Release = Release(1, 0, 2);

impl Release {
    /// Reads `1.0.2`, `v1.1.0` or `1.0.2-dev`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.trim().trim_start_matches('v');
        let plain = plain.split(['-', '+']).next().unwrap_or(plain);
        let numbers: Vec<u32> = plain.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        if let [major, minor, patch] = numbers[..] { Some(Self(major, minor, patch)) } else { None }
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl std::str::FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| format!("`{text}` is no release such as 1.2.1"))
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
    }
}
