//! Each format against its golden file and read by a program that nobody here wrote.

use std::path::{Path, PathBuf};

use plimsoll_reports::format::{Documents, Format, Rendered, render};
use plimsoll_reports::model::{Report, Verdict};
use plimsoll_reports::table::Style;

use crate::golden::assert_golden;
use crate::hostile::poisoned;
use crate::sample::proof::proof;
use crate::sample::{check, report, with_verdicts};
use crate::tools::{content, tool, written};

fn text(format: Format, reports: &[Report]) -> String {
    let documents = Documents { reports: reports.to_vec(), ..Documents::default() };
    match render(format, &documents, Style::default()).unwrap() {
        Rendered::Text(text) => text.into_string(),
        Rendered::Folder(_) => panic!("{format} is a folder"),
    }
}

fn folder(documents: &Documents) -> Vec<(&str, String)> {
    match render(Format::Oci, documents, Style::default()).unwrap() {
        Rendered::Text(_) => panic!("oci is a text"),
        Rendered::Folder(files) => files.into_iter().map(|(name, text)| (name, text.into_string())).collect(),
    }
}

/// Each kind of report that a format must cope with: usual, two runtimes, nothing in it, hostile.
fn samples() -> Vec<Vec<Report>> {
    let mut other = report();
    other.runtime.version = "crun version 1.28".into();
    other.checks.remove(0);
    vec![vec![report()], vec![report(), other], vec![with_verdicts(&[])], vec![poisoned("]]> # <b>")]]
}

/// The samples in a format, as files.
fn files(format: Format, dir: &Path, extension: &str) -> Vec<PathBuf> {
    let texts = samples().into_iter().enumerate();
    texts.map(|(at, reports)| written(dir, &format!("{at}.{extension}"), &text(format, &reports))).collect()
}

#[test]
fn each_format_is_as_committed() {
    let goldens = [
        (Format::Markdown, "report.md"),
        (Format::Junit, "junit.xml"),
        (Format::Tap, "report.tap"),
        (Format::Github, "github.txt"),
        (Format::Csv, "report.csv"),
        (Format::Badge, "badge.json"),
        (Format::Sarif, "report.sarif"),
    ];
    for (format, name) in goldens {
        assert_golden(name, &text(format, &[report()]));
    }
    let pair = &samples()[1];
    assert_golden("matrix.txt", &text(Format::Table, pair));
    assert_golden("matrix.md", &text(Format::Markdown, pair));
    assert_golden("matrix.tap", &text(Format::Tap, pair));
}

#[test]
fn the_files_for_a_conformance_programme_are_as_committed() {
    let documents = Documents { reports: vec![report()], ..Documents::default() };
    let files = folder(&documents);
    assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["results.yaml", "report.html", "junit.xml"]);
    assert_golden("results.yaml", &files[0].1);
}

#[test]
fn every_name_is_one_of_a_format() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    assert!("yaml".parse::<Format>().unwrap_err().ends_with("csv, badge, sarif, oci, killed"));
}

#[test]
fn a_format_says_what_it_cannot_tell() {
    let refusal = |format, reports: usize, proofs: usize| {
        let documents =
            Documents { reports: vec![report(); reports], proofs: vec![proof(); proofs], ..Documents::default() };
        render(format, &documents, Style::default()).unwrap_err()
    };
    assert_eq!(refusal(Format::Badge, 2, 0), "the format badge shows a single run, not 2");
    assert_eq!(refusal(Format::Tap, 0, 1), "the format tap cannot show proofs; use table, html or killed");
}

#[test]
fn no_format_lets_a_runtime_write_its_own_lines() {
    let hostile = [poisoned("\n::error::forged\n1..9\nnot ok 1 - forged\n")];
    for format in [Format::Tap, Format::Github, Format::Csv, Format::Markdown] {
        let text = text(format, &hostile);
        let forged = |line: &&str| line.starts_with("::error::") || line.starts_with("not ok 1 - forged");
        assert_eq!(text.lines().find(forged), None, "{format}");
        assert_eq!(text.chars().find(|c| c.is_control() && !"\n\r".contains(*c)), None, "{format}");
    }
}

#[test]
fn annotations_are_few_and_count_the_rest() {
    let text = text(Format::Github, &[with_verdicts(&[Verdict::Fail; 30])]);
    assert_eq!(text.lines().count(), 10);
    assert!(text.ends_with("::error title=Plimsoll::21 more unexpected; the job summary and the results have all\n"));
}

#[test]
fn markdown_fits_into_a_comment() {
    assert!(text(Format::Markdown, &[with_verdicts(&[Verdict::Fail; 5000])]).len() < 65_536);
}

/// The schema is Jenkins's, with the two additions that it names at its head.
#[test]
fn junit_is_valid_by_its_schema() {
    let Some(mut xmllint) = tool("xmllint", "apt-get install libxml2-utils") else { return };
    let dir = tempfile::tempdir().unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/junit-10.xsd");
    content(xmllint.args(["--noout", "--schema"]).arg(schema).args(files(Format::Junit, dir.path(), "xml")));
}

#[test]
fn junit_is_read_by_a_parser() {
    let Some(mut parser) = tool("junitparser", "pip install junitparser") else { return };
    let dir = tempfile::tempdir().unwrap();
    let merged = dir.path().join("merged.xml");
    content(parser.arg("merge").args(files(Format::Junit, dir.path(), "xml")).arg(&merged));
    let Some(mut parser) = tool("junitparser", "pip install junitparser") else { return };
    let good = written(dir.path(), "good.xml", &text(Format::Junit, &[with_verdicts(&[Verdict::Pass, Verdict::Skip])]));
    content(parser.arg("verify").arg(good));
    let Some(mut parser) = tool("junitparser", "pip install junitparser") else { return };
    assert!(!parser.arg("verify").arg(merged).status().unwrap().success(), "it has failures");
}

#[test]
fn tap_is_read_by_a_consumer() {
    let dir = tempfile::tempdir().unwrap();
    for (file, good) in files(Format::Tap, dir.path(), "tap").iter().zip([false, false, true, false]) {
        let Some(mut parser) = tool("tap-parser", "npm install -g tap-parser") else { return };
        // The exit code is whether the tests are good; what is no TAP it reports as extra, and strictly as a failure.
        let output = parser.args(["--json=0", "--strict"]).stdin(std::fs::File::open(file).unwrap()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.success(), good, "{said}");
        assert!(!said.contains("[\"extra\"") && !said.contains("\"tapError\":\""), "{said}");
    }
}

#[test]
fn sarif_is_accepted_by_a_validator() {
    let Some(mut validator) = tool("sarif-multitool", "npm install -g @microsoft/sarif-multitool") else { return };
    let dir = tempfile::tempdir().unwrap();
    let files = files(Format::Sarif, dir.path(), "sarif");
    content(validator.arg("validate").args(&files).arg("--level").arg("Error"));
}

#[test]
fn the_yaml_of_results_is_read_by_a_parser() {
    let Some(mut python) = tool("python3", "apt-get install python3-yaml") else { return };
    if !python.args(["-c", "import yaml"]).output().unwrap().status.success() {
        eprintln!("skipped: needs apt-get install python3-yaml");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (at, report) in [report(), poisoned("\": - {"), with_verdicts(&[])].into_iter().enumerate() {
        let documents = Documents { reports: vec![report], ..Documents::default() };
        let files = folder(&documents);
        let path = written(dir.path(), &format!("{at}.yaml"), &files[0].1);
        let read = "import sys, yaml; doc = yaml.safe_load(open(sys.argv[1])); \
                    assert sum(doc['counts'].values()) == len(doc['tests']), doc";
        let Some(mut python) = tool("python3", "apt-get install python3-yaml") else { return };
        content(python.args(["-c", read]).arg(path));
    }
}

fn judged(ids: &[&str]) -> Report {
    Report { checks: ids.iter().map(|id| check(id, Verdict::Pass)).collect(), ..report() }
}

#[test]
fn checks_are_counted_by_circumstance_where_there_are_any() {
    let both = judged(&["a.b/c", "a.b/c@terminal", "d.e/f@terminal"]);
    let counts: Vec<(&str, usize)> = both.circumstances().into_iter().map(|(name, tally)| (name, tally.pass)).collect();
    assert_eq!(counts, [("plain", 1), ("terminal", 2)]);
    for format in [Format::Table, Format::Markdown, Format::Html] {
        let has_table =
            |report: &Report| text(format, std::slice::from_ref(report)).to_lowercase().contains("circumstance");
        assert!(has_table(&both) && !has_table(&judged(&["a.b/c"])), "{format}");
    }
}
