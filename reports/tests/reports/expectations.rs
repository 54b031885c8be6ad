//! A file of expectations applied to a report.

use plimsoll_reports::expectations::Expectations;
use plimsoll_reports::model::Verdict;

use crate::sample::with_verdicts;

const FILE: &str = r#"
[[expect]]
checks = ["process.args/0"]
verdict = "fail"
reason = "true of this version"
versions = ["1.1.5"]

[[expect]]
checks = ["process.args/1"]
verdict = "fail"
reason = "of another version"
versions = ["9.9"]

[[expect]]
checks = ["process.args/1"]
verdict = "fail"
reason = "of another host"
cgroups = ["v2"]

[[expect]]
checks = ["no.such*"]
verdict = "fail"
reason = "of no check"
"#;

#[test]
fn entries_count_for_their_versions_hosts_and_checks() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("e.toml");
    std::fs::write(&path, FILE).expect("a file");
    let mut report = with_verdicts(&[Verdict::Fail, Verdict::Fail]);
    let notes = Expectations::read(&path).expect("a good file").apply(&mut report);
    assert!(report.checks[0].is_known() && !report.checks[0].is_red());
    assert!(!report.checks[1].is_known() && report.checks[1].is_red());
    assert_eq!(notes, ["no check of this run is meant by the expectation `no.such*`"]);
}
