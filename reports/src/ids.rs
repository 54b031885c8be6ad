//! Ids of checks, `section.subject/case@circumstance`, and what a glob of a user means by them.

use globset::GlobMatcher;

/// Gives the ids that a check had in earlier versions.
pub type FormerIds = fn(&str) -> Vec<&'static str>;

/// The circumstance in an id, if any.
#[must_use]
pub fn circumstance(id: &str) -> Option<&str> {
    id.split_once('@').map(|(_, name)| name)
}

/// Whether a glob says under which circumstance; one that does not means all.
#[must_use]
pub fn has_circumstance(glob: &GlobMatcher) -> bool {
    glob.glob().glob().contains('@')
}

/// All that a check is called, for many globs.
#[derive(Clone, Debug)]
pub struct Ids<'i> {
    /// Its id, and those of earlier versions.
    own: Vec<&'i str>,
    /// The same without its circumstance; empty where it has none.
    plain: Vec<&'i str>,
}

impl<'i> Ids<'i> {
    /// Those of the check of this id.
    #[must_use]
    pub fn of(id: &'i str, former: FormerIds) -> Self {
        let all = |id: &'i str| [id].into_iter().chain(former(id)).collect();
        Self { own: all(id), plain: id.split_once('@').map_or_else(Vec::new, |(plain, _)| all(plain)) }
    }

    /// Whether a glob means the check.
    #[must_use]
    pub fn are_meant_by(&self, glob: &GlobMatcher) -> bool {
        let any = |ids: &[&str]| ids.iter().any(|id| glob.is_match(id));
        any(&self.own) || (!has_circumstance(glob) && any(&self.plain))
    }

    /// Whether a glob means the check under the circumstance that it has.
    #[must_use]
    pub fn are_required_by(&self, glob: &GlobMatcher) -> bool {
        (self.plain.is_empty() || has_circumstance(glob)) && self.are_meant_by(glob)
    }
}

#[cfg(test)]
mod tests {
    use globset::Glob;

    use super::*;

    #[test]
    fn a_glob_without_a_circumstance_means_all_and_requires_none() {
        let former: FormerIds = |id| if id == "a.new/c" { vec!["a.old/c"] } else { Vec::new() };
        let under = Ids::of("a.new/c@terminal", former);
        let glob = |text: &str| Glob::new(text).unwrap().compile_matcher();
        for (text, means, requires) in [
            ("a.new/c", true, false),
            ("a.old/*", true, false),
            ("a.*", true, false),
            ("a.new/c@terminal", true, true),
            ("*@terminal", true, true),
            ("*@run", false, false),
        ] {
            assert_eq!(
                (under.are_meant_by(&glob(text)), under.are_required_by(&glob(text))),
                (means, requires),
                "{text}"
            );
        }
        let plain = Ids::of("a.new/c", former);
        assert!(plain.are_required_by(&glob("a.old/c")) && !plain.are_meant_by(&glob("*@*")));
    }
}
