//! The folder for a conformance programme: built, checked, and checked again when someone has changed it.

use std::fs;
use std::path::Path;

use plimsoll_reports::file::Document;
use plimsoll_reports::model::Report;
use plimsoll_reports::submission::{Product, build, verify, version_of};
use tempfile::TempDir;

use crate::sample::report;

fn product() -> Product {
    let [vendor, name, description] = ["Acme: \"Inc\"", "runc", "Runs containers."].map(str::to_owned);
    let [website_url, documentation_url] = ["https://a.example", "https://a.example/docs"].map(str::to_owned);
    let version = version_of(&report());
    Product { vendor, name, description, website_url, documentation_url, version, repo_url: String::new() }
}

fn suite() -> Vec<String> {
    report().checks.into_iter().map(|check| check.id).collect()
}

fn submitted() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in build(&report(), &product(), &suite()).unwrap() {
        fs::write(dir.path().join(name), text).unwrap();
    }
    report().write(&dir.path().join("results.json")).unwrap();
    dir
}

fn edit(dir: &Path, name: &str, from: &str, to: &str) {
    let path = dir.join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn what_is_built_is_good() {
    let dir = submitted();
    assert_eq!(verify(dir.path(), &suite(), "0.1.0"), [""; 0]);
    assert_eq!(product().version, "1.1.5");
}

#[test]
fn what_was_changed_is_named() {
    let dir = submitted();
    edit(dir.path(), "results.yaml", "status: FAIL", "status: Pass");
    edit(dir.path(), "PRODUCT.yaml", "https://a.example/docs", "http://a.example");
    edit(dir.path(), "PRODUCT.yaml", "vendor", "wendor");
    fs::remove_file(dir.path().join("log.txt")).unwrap();
    let wrong = verify(dir.path(), &suite(), "0.1.0").join("\n");
    for expected in [
        "PRODUCT.yaml: vendor is missing",
        "documentation_url is no https:// address: http://a.example",
        "log.txt: No such file",
        "results.yaml, line 34: it is not what results.json renders to",
    ] {
        assert!(wrong.contains(expected), "{expected}: {wrong}");
    }
}

#[test]
fn a_part_of_the_suite_is_no_submission() {
    let mut more = suite();
    more.push("x.y/z".to_owned());
    let refusal = build(&report(), &product(), &more).unwrap_err();
    assert_eq!(refusal, "the results lack 1 of the 12 checks of the suite");
    let short = Report { cut_short: Some("interrupted".to_owned()), ..report() };
    assert_eq!(build(&short, &product(), &suite()).unwrap_err(), "the run was cut short: interrupted");
    let dir = submitted();
    assert!(verify(dir.path(), &more, "0.1.0")[0].starts_with("results.json: the results lack 1 of"));
    assert!(verify(dir.path(), &suite(), "9.9")[0].contains("verify with that one"));
}

#[test]
fn results_that_cannot_be_read_are_named_with_the_place() {
    let dir = submitted();
    edit(dir.path(), "results.json", "\"pass\"", "\"good\"");
    let wrong = verify(dir.path(), &suite(), "0.1.0");
    assert!(wrong[0].contains("results.json\": unknown variant `good`") && wrong[0].contains(" at line "), "{wrong:?}");
}
