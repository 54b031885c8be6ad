//! Ids of checks and clauses that earlier versions named differently (`data/renamed.tsv`), so that results and expectations of
//! these versions still work.

use plimsoll_reports::model::Report;

/// The list: an old id, a tab, and the id of today in each line.
const LIST: &str = include_str!("../data/renamed.tsv");

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    LIST.lines().filter_map(|line| line.split_once('\t'))
}

/// The id of today.
#[must_use]
pub fn current(id: &str) -> &str {
    pairs().find(|(old, _)| *old == id).map_or(id, |(_, new)| new)
}

/// The ids that a check or a clause had in earlier versions.
#[must_use]
pub fn former(id: &str) -> Vec<&'static str> {
    pairs().filter(|(_, new)| *new == id).map(|(old, _)| old).collect()
}

/// Replaces the old ids of checks in a report.
pub fn update(report: &mut Report) {
    for check in &mut report.checks {
        for id in [&mut check.id].into_iter().chain(&mut check.shared_with) {
            *id = current(id).to_owned();
        }
    }
    report.checks.sort_by(|a, b| a.id.cmp(&b.id));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn old_ids_are_gone_and_new_ones_exist() {
        let mut known: BTreeSet<String> = crate::practice::all().into_iter().map(|record| record.id).collect();
        for check in crate::all() {
            known.extend(check.id.split('/').next().map(str::to_owned));
            known.insert(check.id);
        }
        for line in LIST.lines() {
            let (old, new) = line.split_once('\t').unwrap();
            assert!(!known.contains(old) && known.contains(new), "{line}");
        }
        assert!(LIST.lines().is_sorted());
    }

    #[test]
    fn ids_are_mapped_both_ways() {
        let (old, new) = pairs().next().unwrap();
        assert_eq!([current(old), current(new)], [new, new]);
        assert_eq!(former(new), [old]);
    }
}
