//! The circumstances under which cases are judged again, and which cases hold there.

mod holds;
mod list;

use plimsoll_engine::check::Check;
use plimsoll_engine::circumstance::Circumstance;

pub use list::ALL;

/// The name of the suite as it is, where a user names circumstances.
pub const PLAIN: &str = "plain";
/// The name of all of them.
pub const EVERYTHING: &str = "all";

/// The circumstance of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Circumstance> {
    ALL.iter().find(|circumstance| circumstance.name == name)
}

/// The checks under each of these circumstances, sorted by id; the suite as it is where none is named. `plain` stands for that among
/// others, and `all` for everything.
#[must_use]
pub fn judged(names: &[String]) -> Vec<Check> {
    let checks = crate::all();
    if names.is_empty() {
        return checks;
    }
    let is_named = |name: &str| names.iter().any(|named| named == name || named == EVERYTHING);
    let plain = if is_named(PLAIN) { checks.clone() } else { Vec::new() };
    let others = ALL.iter().filter(|circumstance| is_named(circumstance.name));
    let mut judged: Vec<Check> = plain.into_iter().chain(others.flat_map(|one| under(&checks, one))).collect();
    judged.sort_by(|a, b| a.id.cmp(&b.id));
    judged
}

/// The words that [`judged`] takes.
pub fn words() -> impl Iterator<Item = &'static str> {
    [PLAIN, EVERYTHING].into_iter().chain(ALL.iter().map(|circumstance| circumstance.name))
}

/// The checks that hold under a circumstance, with its name in their ids. The others contradict it: they set what it sets, or look
/// at what it changes.
#[must_use]
pub fn under(checks: &[Check], circumstance: &'static Circumstance) -> Vec<Check> {
    let holds = checks.iter().filter(|check| holds::holds(check, circumstance));
    let id = |check: &Check| format!("{}@{}", check.id, circumstance.name);
    holds.map(|check| Check { id: id(check), under: circumstance, ..check.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_circumstance_has_a_name_of_its_own_and_checks_that_hold() {
        let checks = crate::all();
        for (at, circumstance) in ALL.iter().enumerate() {
            let plain = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(circumstance.name.chars().all(plain) && circumstance.name != PLAIN, "{}", circumstance.name);
            assert!(ALL[..at].iter().all(|other| other.name != circumstance.name), "{}", circumstance.name);
            assert!(under(&checks, circumstance).len() > 20, "{}", circumstance.name);
        }
    }

    #[test]
    fn a_case_of_the_member_that_a_circumstance_sets_does_not_hold() {
        let checks = crate::all();
        let ids = |name: &str| -> Vec<String> {
            under(&checks, named(name).unwrap()).into_iter().map(|check| check.id).collect()
        };
        let has = |ids: &[String], start: &str| ids.iter().any(|id| id.starts_with(start));
        let userns = ids("userns");
        assert!(has(&userns, "config.hostname/") && !has(&userns, "namespaces.user.maps/"), "{userns:?}");
        assert!(!has(&ids("terminal"), "process.terminal.one-for-all/"));
        let exec = ids("exec");
        assert!(has(&exec, "process.") && !has(&exec, "mounts."), "{exec:?}");
    }
}
