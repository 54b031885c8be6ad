//! Edits with random values. Each draw is valid by construction, so that a runtime has no reason to refuse it.

mod linux;
mod mounts;
mod process;
mod seccomp;

use plimsoll_engine::need::Need;
use plimsoll_fixtures::{Edit, Recipe};
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;

use super::fragment::Source;

/// A kind of random edits.
pub struct Draw {
    /// Its name, which begins with its section.
    pub name: &'static str,
    /// How likely it is, against others; a rule with cases has 2.
    pub weight: u32,
    /// What must be there.
    pub needs: &'static [Need],
    strategy: fn() -> BoxedStrategy<Vec<Edit>>,
}

impl Draw {
    const fn new(name: &'static str, weight: u32, strategy: fn() -> BoxedStrategy<Vec<Edit>>) -> Self {
        Self { name, weight, needs: &[], strategy }
    }

    const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// The part of the name before the dot.
    #[must_use]
    pub fn section(&self) -> &str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// As a source of fragments.
    #[must_use]
    pub fn source(&self) -> Source {
        let name = format!("random/{}", self.name);
        Source { subject: name.clone(), name, weight: self.weight, strategy: (self.strategy)() }
    }
}

/// Every draw.
pub const ALL: &[Draw] = &[
    Draw::new("config.hostname", 4, linux::hostname),
    Draw::new("config.domainname", 4, linux::domainname),
    Draw::new("config.annotations", 2, linux::annotations),
    Draw::new("process.args", 6, process::args),
    Draw::new("process.env", 6, process::env),
    Draw::new("process.cwd", 6, process::cwd),
    Draw::new("process.user", 8, process::user),
    Draw::new("process.umask", 4, process::umask),
    Draw::new("process.rlimits", 6, process::rlimits),
    Draw::new("process.capabilities", 6, process::capabilities),
    Draw::new("process.no-new-privileges", 4, process::no_new_privileges),
    Draw::new("process.oom-score-adj", 4, process::oom_score_adj),
    Draw::new("linux.masked-paths", 6, linux::masked_paths),
    Draw::new("linux.readonly-paths", 6, linux::readonly_paths),
    Draw::new("linux.devices", 6, linux::devices),
    Draw::new("linux.sysctl", 6, linux::sysctl),
    Draw::new("linux.rootfs-propagation", 2, linux::rootfs_propagation),
    Draw::new("namespaces.list", 6, linux::namespaces),
    Draw::new("namespaces.user-maps", 6, linux::user_maps).needs(&[Need::HostView, Need::Namespace("user")]),
    Draw::new("mounts.tmpfs", 14, mounts::tmpfs),
    Draw::new("mounts.bind", 14, mounts::bind),
    Draw::new("mounts.tree", 6, mounts::tree),
    Draw::new("seccomp.filter", 10, seccomp::filter),
];

/// The edits that a function makes.
fn edits(make: impl FnOnce(&mut Recipe) -> &mut Recipe) -> Vec<Edit> {
    let mut recipe = Recipe::default();
    make(&mut recipe);
    recipe.edits
}

/// A name of a file: letters, blanks, dots, other scripts, and no slash.
fn file_name() -> BoxedStrategy<String> {
    prop::collection::vec(prop::sample::select(NAME.chars().collect::<Vec<char>>()), 1..12)
        .prop_map(|name| name.into_iter().collect::<String>())
        .prop_filter_map("dots alone are names of other directories", |name| {
            Some(if name.trim_start_matches('.').is_empty() { format!("x{name}") } else { name })
        })
        .boxed()
}

const NAME: &str = "abcxyzABC019-_.,:+=@ %~#'\"äß船🚢";

/// Printable text, white space, quotes, other scripts; no NUL.
fn text() -> BoxedStrategy<String> {
    let characters: Vec<char> = TEXT.chars().collect();
    prop::collection::vec(prop::sample::select(characters), 0..40).prop_map(|text| text.into_iter().collect()).boxed()
}

const TEXT: &str = "abcdefxyzABCXYZ0123456789 \t\n-_.,:;+=@/%~#'\"`$\\{}[]()<>|&*?!äßé船🚢\u{202e}\u{1}\u{7f}";

#[cfg(test)]
mod tests {
    use plimsoll_fixtures::Config;
    use proptest::strategy::ValueTree;

    use super::*;
    use crate::fuzz::chance;

    #[test]
    fn what_is_drawn_has_the_shape_of_the_types() {
        for draw in ALL {
            for number in 0..50 {
                let tree = (draw.strategy)().new_tree(&mut chance(3, number)).unwrap();
                let mut config = Recipe { edits: tree.current() }.config_of(Config::base());
                config.substitute(&[]);
                let spec: Result<oci_spec::runtime::Spec, _> = serde_json::from_value(config.0.clone());
                assert!(spec.is_ok(), "{}: {spec:?}\n{}", draw.name, config.0);
            }
        }
    }
}
