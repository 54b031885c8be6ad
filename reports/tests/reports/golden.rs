//! The terminal report against the committed one. `PLIMSOLL_BLESS=1 cargo test -p plimsoll-reports` writes it anew.

use std::fs;
use std::path::Path;

use plimsoll_reports::format::Documents;
use plimsoll_reports::model::{Known, Report, Verdict};
use plimsoll_reports::table::{Style, documents as documents_as_text, proof, render};

use crate::sample::bench::bench as sample_bench;
use crate::sample::proof::proof as sample_proof;
use crate::sample::{call, check, finding, report, with_verdicts};

const WIDE: Style = Style { color: false, width: Some(100), verbose: false };

pub fn assert_golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        fs::write(&path, actual).expect("write the golden file");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{name} differs; PLIMSOLL_BLESS=1 accepts this:\n{actual}");
}

/// The text without the escape codes for colour, which all have the form `ESC [ … m`.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').expect("a colour code ends in m").1)
}

#[test]
fn the_report_is_as_committed() {
    assert_golden("report.txt", &render(&report(), WIDE));
}

#[test]
fn the_verbose_report_is_as_committed() {
    assert_golden("verbose.txt", &render(&report(), Style { width: None, verbose: true, ..WIDE }));
}

#[test]
fn a_clean_report_is_short() {
    assert_golden("clean.txt", &render(&with_verdicts(&[Verdict::Pass, Verdict::Pass]), WIDE));
}

#[test]
fn the_proof_is_as_committed() {
    assert_golden("proof.txt", &proof::render(&sample_proof(), WIDE));
    assert_golden("proof-verbose.txt", &proof::render(&sample_proof(), Style { width: None, verbose: true, ..WIDE }));
}

#[test]
fn the_benchmark_is_as_committed() {
    let documents = Documents { benchmarks: vec![sample_bench()], ..Documents::default() };
    assert_golden("bench.txt", &documents_as_text(&documents, Style { width: None, ..WIDE }));
}

#[test]
fn the_search_is_as_committed() {
    let sample = serde_json::from_str(include_str!("../golden/fuzz.json")).expect("the sample is a search");
    let documents = Documents { searches: vec![sample], ..Documents::default() };
    assert_golden("fuzz.txt", &documents_as_text(&documents, Style { verbose: true, ..WIDE }));
}

#[test]
fn a_run_cut_short_says_so() {
    let report = Report { cut_short: Some("interrupted by the user".to_owned()), ..with_verdicts(&[Verdict::Pass]) };
    let text = render(&report, WIDE);
    assert!(text.contains("\nThe run was cut short: interrupted by the user\n"), "{text}");
}

/// It turns the run red, so it is shown in full, and the last line says that there is one.
#[test]
fn a_known_failure_that_only_warns_now_is_shown() {
    let mut report = with_verdicts(&[Verdict::Warn, Verdict::Fail]);
    for check in &mut report.checks {
        check.known = Some(Known { verdict: Verdict::Fail, reason: "an old habit".to_owned(), link: String::new() });
    }
    let text = render(&report, WIDE);
    assert!(text.contains("\n  expected  fail: an old habit\n"), "{text}");
    assert!(text.contains(" (1 deviation as expected, 1 unexpected verdict) in "), "{text}");
}

#[test]
fn colour_adds_escape_codes_and_nothing_else() {
    for verbose in [false, true] {
        let plain = render(&report(), Style { verbose, ..WIDE });
        let coloured = render(&report(), Style { verbose, color: true, ..WIDE });
        assert!(!plain.contains('\u{1b}'));
        assert!(coloured.contains("\u{1b}[31mFAIL\u{1b}[0m"));
        assert_eq!(uncoloured(&coloured), plain);
    }
}

#[test]
fn no_line_ends_in_spaces() {
    let text = render(&report(), WIDE);
    assert_eq!(text.lines().find(|line| line.ends_with(' ')), None);
}

#[test]
fn any_width_will_do() {
    for width in [0, 1, 7, 40, u16::MAX] {
        let text = render(&report(), Style { width: Some(width), ..WIDE });
        assert!(text.contains("runc 1.1.5: 3 passed"), "{width}: {text}");
    }
}

#[test]
fn long_lists_and_values_are_cut_and_say_by_how_much() {
    let mut check = check("mounts.many/all", Verdict::Fail);
    check.findings = (0..25).map(|n| finding(&format!("mount {n}"), "there", &"x".repeat(1000))).collect();
    check.evidence = Some(plimsoll_reports::model::Evidence {
        calls: (0..30).map(|n| call(&format!("runc state c{n}"), "exit 0", "")).collect(),
        ..Default::default()
    });
    let report = Report { checks: vec![check], ..report() };
    let text = render(&report, WIDE);
    for note in ["… 600 more characters", "… 5 more findings in results.json", "… 18 earlier calls in results.json"]
    {
        assert!(text.contains(note), "{note}: {text}");
    }
    let verbose = render(&report, Style { verbose: true, ..WIDE });
    assert!(!verbose.contains('…') && verbose.contains("mount 24") && verbose.contains("runc state c0 "));
}

#[test]
fn a_large_report_is_rendered_whole() {
    let verdicts: Vec<Verdict> = Verdict::ALL.into_iter().cycle().take(100_000).collect();
    let text = render(&with_verdicts(&verdicts), WIDE);
    assert_eq!(text.lines().filter(|line| line.starts_with("FAIL process.args/")).count(), 16_667);
}
