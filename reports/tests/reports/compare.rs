//! Two runs compared, and parts merged.

use plimsoll_reports::compare::{Kind, compare, markdown, text, unlike};
use plimsoll_reports::merge::merge;
use plimsoll_reports::model::{Known, Partition, Report, Verdict};

use crate::golden::assert_golden;
use crate::sample::{finding, report, with_verdicts};

/// The sample, changed in each way that a comparison tells.
fn later() -> Report {
    let mut later = report();
    later.run = "plimsoll-77aa".to_owned();
    later.runtime.version = "runc version 1.3.6".into();
    let mut set = |id: &str, change: &dyn Fn(&mut plimsoll_reports::model::Check)| {
        later.checks.iter_mut().filter(|check| check.id == id).for_each(change);
    };
    set("cgroups.cpu-shares/one", &|check| {
        check.verdict = Verdict::Fail;
        check.findings = vec![finding("cpu.shares", "512", "1024")];
    });
    set("cgroups.pids/limit", &|check| check.reason = "another reason".to_owned());
    set("lifecycle.create.twice/same-id", &|check| check.duration_ms = 900.0);
    set("linux.masked-paths/file", &|check| check.findings[0].observed = "another secret".to_owned());
    set("lifecycle.delete/stopped", &|check| check.verdict = Verdict::Pass);
    set("mounts.tmpfs/size", &|check| check.verdict = Verdict::Warn);
    later
}

#[test]
fn each_kind_of_change_is_told() {
    let (old, new) = (report(), later());
    let comparison = compare(&old, &new);
    let ids = |kind| -> Vec<&str> {
        comparison.changes.get(&kind).into_iter().flatten().map(|change| change.new.id.as_str()).collect()
    };
    assert_eq!(ids(Kind::NewlyFailing), ["cgroups.cpu-shares/one"]);
    assert_eq!(ids(Kind::NewlyPassing), ["lifecycle.delete/stopped"]);
    assert_eq!(ids(Kind::NewlyWarning), ["mounts.tmpfs/size"]);
    assert_eq!(ids(Kind::Skips), ["cgroups.pids/limit"]);
    assert_eq!(ids(Kind::Evidence), ["linux.masked-paths/file"]);
    assert_eq!(ids(Kind::Timing), ["lifecycle.create.twice/same-id"]);
    assert_golden("compare.txt", &text(&comparison, false));
    assert_golden("compare.md", &markdown(&comparison));
}

#[test]
fn runs_with_the_same_verdicts_may_differ_in_all_else() {
    let verdicts = [Verdict::Pass, Verdict::Warn, Verdict::Skip];
    let (old, mut new) = (with_verdicts(&verdicts), with_verdicts(&verdicts));
    new.checks[0].duration_ms += 900.0;
    new.checks[2].reason = "another".to_owned();
    assert!(compare(&old, &new).has_same_verdicts());
    new.checks[1].verdict = Verdict::Pass;
    let better = compare(&old, &new);
    assert_eq!((better.has_same_verdicts(), better.exit_code()), (false, 0));
}

#[test]
fn names_that_a_run_makes_for_itself_are_no_change() {
    let (mut old, mut new) = (report(), later());
    old.checks.retain(|check| check.id == "linux.masked-paths/file");
    new.checks.clone_from(&old.checks);
    old.checks[0].findings = vec![finding("a mount", "/tmp/plimsoll-5f3a/x", "")];
    new.checks[0].findings = vec![finding("a mount", "/tmp/plimsoll-77aa/x", "")];
    assert!(compare(&old, &new).changes.is_empty());
}

#[test]
fn the_gate_is_red_for_what_is_newly_broken_and_unexpected() {
    let (old, mut new) =
        (with_verdicts(&[Verdict::Pass, Verdict::Fail]), with_verdicts(&[Verdict::Fail, Verdict::Fail]));
    assert_eq!(compare(&old, &old).exit_code(), 0);
    assert_eq!(compare(&new, &old).exit_code(), 0);
    assert_eq!(compare(&old, &new).exit_code(), 1);
    new.checks[0].known = Some(Known { verdict: Verdict::Fail, reason: "known".to_owned(), link: String::new() });
    assert_eq!(compare(&old, &new).exit_code(), 0);
    assert_eq!(compare(&old, &with_verdicts(&[Verdict::Error, Verdict::Fail])).exit_code(), 2);
}

#[test]
fn runs_of_other_checks_are_told_apart() {
    let (old, new) = (with_verdicts(&[Verdict::Pass; 3]), with_verdicts(&[Verdict::Pass; 1]));
    assert_eq!(unlike(&old, &old), None);
    assert_eq!(unlike(&old, &new).unwrap(), "2 checks are only in the old results, such as process.args/1");
}

/// Files and what they hold.
type Parts = Vec<(String, Report)>;

/// The sample in parts; check `n` is in part `n % of`.
fn parts(of: u32) -> Parts {
    let whole = report();
    let part = |part: u32| {
        let mine = whole.checks.iter().zip((0..of).cycle()).filter(|(_, at)| *at + 1 == part);
        let checks = mine.map(|(check, _)| check.clone()).collect();
        let partition = Some(Partition { part, of, whole: whole.checks.len() as u64 });
        (format!("{part}.json"), Report { checks, partition, duration_ms: 10, ..report() })
    };
    (1..=of).map(part).collect()
}

#[test]
fn parts_make_the_whole_in_any_order() {
    let mut parts = parts(3);
    parts.rotate_left(1);
    assert_eq!(merge(&parts).unwrap(), Report { duration_ms: 30, ..report() });
}

#[test]
fn parts_that_do_not_make_a_whole_are_named() {
    let refusal = |change: &dyn Fn(&mut Parts)| {
        let mut parts = parts(3);
        change(&mut parts);
        merge(&parts).unwrap_err()
    };
    assert_eq!(refusal(&|parts| drop(parts.pop())), "part 3 of 3 is missing");
    assert_eq!(refusal(&|parts| parts.push(parts[0].clone())), "1.json and 1.json are both part 1 of 3");
    assert_eq!(
        refusal(&|parts| parts[1].1.partition = None),
        "2.json is not a part: it was created without --partition"
    );
    let doubled = refusal(&|parts| parts[1].1.checks = parts[0].1.checks.clone());
    assert_eq!(doubled, "the check cgroups.cpu-shares/one is in 1.json and in 2.json");
    let short = refusal(&|parts| drop(parts[1].1.checks.pop()));
    assert_eq!(short, "the parts contain 10 of 11 checks: a part is incomplete or was edited");
    let other = refusal(&|parts| parts[2].1.runtime.sha256 = "00".to_owned());
    assert!(other.starts_with("3.json is not from the same run as 1.json: the SHA-256 of the runtime is \"00\""));
    assert_eq!(merge(&[]).unwrap_err(), "there is nothing to merge");
}
