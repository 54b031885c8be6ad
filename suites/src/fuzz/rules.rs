//! The rules that judge random bundles.

use std::collections::BTreeSet;

use plimsoll_engine::check::{Body, Check, Rule};

use super::fragment::Fragment;

/// Rules that take the stage for granted that their own cases set: files with certain content, an untouched base. They
/// judge where one of these cases is in the bundle; every other rule judges wherever it finds something to judge.
const STAGED: &[&str] = &[
    "config.no-mounts",
    "config.optional-members",
    "linux.default-devices.*",
    "linux.default-filesystems.*",
    "linux.dev-symlinks",
    "linux.optional-members",
    "mounts.below-read-only-root",
    "mounts.bind.source",
    "mounts.bind.submounts",
    "mounts.data-inside",
    "mounts.effect.*",
    "mounts.idmap",
    "mounts.ridmap",
    "mounts.option.tmpcopyup",
    "mounts.optional-members",
    "mounts.order",
    "mounts.destination.symlink",
    "namespaces.cgroup.own-group-is-the-root",
    "namespaces.network.only-loopback",
    "namespaces.owned-by-the-user-namespace",
    "namespaces.pid.first-process",
    "namespaces.user.files",
    "namespaces.user.process",
    "namespaces.uts.own-name",
    "process.args.path-search",
    "process.capabilities.effect",
    "process.capabilities.each",
    "process.cwd.missing",
    "process.env.home",
    "process.oom-score-adj.unset",
    "process.optional",
    "process.stdio.*",
    "process.terminal.*",
    "process.user.umask",
    "process.user.umask.set",
    "process.user.umask.unset",
];

/// The rule of each check that is a case, each rule once, with the clauses and needs of the check.
#[must_use]
pub fn of(checks: &[Check]) -> Vec<(&'static Rule, &Check)> {
    let mut seen = BTreeSet::new();
    let rule = |check: &Check| if let Body::Case(case) = check.body { Some(case.rule) } else { None };
    checks.iter().filter_map(|check| Some((rule(check)?, check))).filter(|(rule, _)| seen.insert(rule.id)).collect()
}

/// Whether a rule may judge a bundle of these fragments.
#[must_use]
pub fn may_judge(rule: &Rule, fragments: &[Fragment]) -> bool {
    !is_staged(rule.id) || fragments.iter().any(|fragment| fragment.rule() == rule.id)
}

fn is_staged(id: &str) -> bool {
    STAGED.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => id.starts_with(start),
        None => id == *known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_staged_rule_is_one() {
        let checks = crate::all();
        let rules = of(&checks);
        for name in STAGED {
            let start = name.trim_end_matches('*');
            assert!(rules.iter().any(|(rule, _)| rule.id.starts_with(start)), "{name}");
        }
    }
}
