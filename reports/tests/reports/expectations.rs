//! A file of expectations applied to a report.

use plimsoll_reports::expectations::Expectations;
use plimsoll_reports::model::{Report, Verdict};

use crate::golden::assert_golden;
use crate::sample::{check, with_verdicts};

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
checks = ["no.such*", "process.args/0", "fuzz.no/such", "none"]
verdict = "fail"
reason = "of no check"
"#;

fn parsed(text: &str) -> Expectations {
    Expectations::parse("e.toml", text).expect("a good file")
}

#[test]
fn entries_count_for_their_versions_hosts_and_checks() {
    let mut report = with_verdicts(&[Verdict::Fail, Verdict::Fail]);
    let file = parsed(FILE);
    file.apply(&mut report);
    assert!(report.checks[0].is_known() && !report.checks[0].is_red());
    assert!(!report.checks[1].is_known() && report.checks[1].is_red());
    assert_eq!(file.unused(&report), ["e.toml, line 20: no check of this run matches `no.such*`, `none`"]);
}

#[test]
fn every_condition_has_to_hold() {
    let known = |condition: &str| {
        let mut report = with_verdicts(&[Verdict::Fail]);
        let head = "[[expect]]\nchecks = [\"process.*\"]\nverdict = \"fail\"\nreason = \"known\"\n";
        parsed(&format!("{head}{condition}")).apply(&mut report);
        report.checks[0].is_known()
    };
    for holds in [
        "",
        "runtime = [\"crun\", \"runc\"]",
        "version = \">=1.1, <1.2\"",
        "version = \"=1.1.5\"\nkernel = \">=6.0\"",
        "lsms = [\"apparmor\"]\nlacking = [\"CAP_SYS_BOOT\"]\ncgroups = [\"v1\", \"hybrid\"]",
        "lsms = [\"!selinux\"]",
    ] {
        assert!(known(holds), "{holds}");
    }
    for fails in [
        "runtime = [\"crun\"]",
        "version = \">=1.2\"",
        "kernel = \"<6\"",
        "lsms = [\"selinux\"]",
        "lsms = [\"!apparmor\"]",
        "lacking = [\"CAP_KILL\"]",
        "runtime = [\"runc\"]\ncgroups = [\"v2\"]",
    ] {
        assert!(!known(fails), "{fails}");
    }
}

#[test]
fn what_has_expired_counts_and_is_warned_of() {
    // The sample began on 2025-07-20.
    let mut report = with_verdicts(&[Verdict::Fail]);
    let head = "[[expect]]\nchecks = [\"process.*\"]\nverdict = \"fail\"\nreason = \"known\"\nexpires = ";
    let file = parsed(&format!("{head}2025-07-19"));
    assert_eq!(file.expired(&report), ["e.toml, line 1: expired on 2025-07-19, to be reviewed: `process.*`"]);
    file.apply(&mut report);
    assert!(report.checks[0].is_known());
    assert!(parsed(&format!("{head}2025-07-20")).expired(&report).is_empty());
}

const OLD: &str = r#"# Looked at in May.
[[expect]]
checks = ["process.args/0", "process.args/1"] # both
verdict = "fail"
reason = "known"

[[expect]]
checks = ["process.args/2"]
verdict = "fail"
reason = "mended since"

[[expect]]
checks = ["process.args/2", "process.args/4"]
verdict = "fail"
reason = "of another runtime"
runtime = ["crun"]
"#;

#[test]
fn an_update_keeps_comments_that_are_not_of_an_entry_that_goes() {
    let text = "# Of a runtime.\n\n[[expect]]\nchecks = [\"process.args/1\"]\nverdict = \"fail\"\nreason = \"mended\"\n\n\
        # Known for long:\n\n# only this one\n[[expect]]\nchecks = [\"process.args/2\"]\nverdict = \"fail\"\nreason = \"mended\"\n";
    let mut report = with_verdicts(&[Verdict::Pass, Verdict::Pass, Verdict::Pass]);
    let update = parsed(text).update(text, &report).expect("the same text");
    assert_eq!(update.text, "# Of a runtime.\n\n# Known for long:\n");
    report.checks[2].verdict = Verdict::Fail;
    let update = parsed(text).update(text, &report).expect("the same text");
    assert!(
        update.text.starts_with("# Of a runtime.\n\n# Known for long:\n\n# only this one\n[[expect]]\n"),
        "{}",
        update.text
    );
    assert!(update.text.contains("process.args/2") && !update.text.contains("process.args/1"), "{}", update.text);
}

#[test]
fn an_update_makes_the_run_as_expected_and_keeps_the_rest() {
    let mut report = with_verdicts(&[Verdict::Fail, Verdict::Pass, Verdict::Pass, Verdict::Timeout, Verdict::Skip]);
    let update = parsed(OLD).update(OLD, &report).expect("the same text");
    assert_eq!(update.removed, ["process.args/1", "process.args/2"]);
    assert_eq!(update.added, ["process.args/3"]);
    assert!(update.text.starts_with("# Looked at in May.\n"), "{}", update.text);
    assert!(update.text.contains("of another runtime") && !update.text.contains("mended since"), "{}", update.text);
    parsed(&update.text).apply(&mut report);
    assert_eq!(report.exit_code(), 0, "{}", update.text);
    let again = parsed(&update.text).update(&update.text, &report).expect("the same text");
    assert_eq!((again.text, again.removed.len(), again.added.len()), (update.text, 0, 0));
}

#[test]
fn what_comes_and_goes_may_pass_and_may_do_nothing_worse() {
    let text = "[[expect]]\nchecks = [\"process.*\"]\nverdict = \"fail\"\nreason = \"a race\"\nsometimes = true\n";
    for (verdict, code) in [(Verdict::Fail, 0), (Verdict::Pass, 0), (Verdict::Warn, 0), (Verdict::Timeout, 1)] {
        let mut report = with_verdicts(&[verdict]);
        parsed(text).apply(&mut report);
        assert_eq!(report.exit_code(), code, "{verdict}");
        let update = parsed(text).update(text, &report).expect("the same text");
        assert_eq!(update.removed, [""; 0], "{verdict}");
    }
}

#[test]
fn a_glob_gives_way_to_what_is_left_of_it() {
    let mut report = with_verdicts(&[Verdict::Fail, Verdict::Pass, Verdict::Fail]);
    let text = "[[expect]]\nchecks = [\"process.*\"]\nverdict = \"fail\"\nreason = \"known\"\n";
    let update = parsed(text).update(text, &report).expect("the same text");
    assert_eq!(update.removed, ["process.*"]);
    assert!(update.text.contains("[\"process.args/0\", \"process.args/2\"]"), "{}", update.text);
    parsed(&update.text).apply(&mut report);
    assert_eq!(report.exit_code(), 0);
}

#[test]
fn an_update_takes_nothing_out_that_passes_under_a_circumstance_alone() {
    let entry =
        |checks: &str| format!("[[expect]]\nchecks = [\"{checks}\"]\nverdict = \"fail\"\nreason = \"a flag\"\n");
    let checks = vec![check("a.b/c", Verdict::Fail), check("a.b/c@terminal", Verdict::Pass)];
    let report = Report { checks, ..with_verdicts(&[]) };
    for (pattern, removed) in [("a.b/c", 0), ("a.b/*", 0), ("a.b/c@terminal", 1)] {
        let text = entry(pattern);
        let update = parsed(&text).update(&text, &report).expect("the same text");
        assert_eq!(update.removed.len(), removed, "{pattern}");
    }
}

#[test]
fn an_update_of_nothing_is_a_new_file() {
    let mut report = with_verdicts(&[Verdict::Pass, Verdict::Fail]);
    let update = parsed("").update("", &report).expect("nothing is TOML");
    parsed(&update.text).apply(&mut report);
    assert_eq!(report.exit_code(), 0);
    assert_golden("expectations.toml", &update.text);
}

#[test]
fn the_shipped_files_are_good() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("expectations");
    for file in std::fs::read_dir(dir).expect("the directory") {
        Expectations::read(&file.expect("a file").path()).expect("a good file");
    }
}
