//! Reports on disk: what is written is read again, and nothing half-done is left or believed.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_reports::file::{Any, Document};
use plimsoll_reports::model::proof::Proof;
use plimsoll_reports::model::{Report, Verdict};

use crate::sample::proof::proof;
use crate::sample::report;

/// A directory for one test, which goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("plimsoll-reports-{}-{test}", std::process::id()));
        fs::create_dir_all(&directory).expect("make a directory in the temporary one");
        Scratch(directory)
    }

    fn file(&self, content: &str) -> PathBuf {
        let path = self.0.join("results.json");
        fs::write(&path, content).expect("write a file of our own");
        path
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("list our directory");
        entries.map(|entry| entry.expect("read an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("remove our directory");
    }
}

/// The error with all its causes, as the command line prints it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn refusal(path: &Path) -> String {
    let error = chain(&Report::read(path).expect_err("this file is not a report"));
    assert!(!error.contains('\n'), "{error:?}");
    error
}

#[test]
fn what_is_written_is_read_again() {
    let scratch = Scratch::new("round-trip");
    let path = scratch.0.join("results.json");
    report().write(&path).unwrap();
    assert_eq!(Report::read(&path).unwrap(), report());
    assert_eq!(scratch.names(), ["results.json"]);
}

#[test]
fn an_older_file_is_replaced_and_no_link_is_followed() {
    let scratch = Scratch::new("replace");
    let path = scratch.file("old");
    report().write(&path).unwrap();
    assert_eq!(Report::read(&path).unwrap(), report());
    let link = scratch.0.join("link.json");
    let before = fs::metadata(&path).unwrap().len();
    for target in [path.clone(), scratch.0.join("dangling"), "/dev/null".into()] {
        symlink(&target, &link).unwrap();
        let error = chain(&report().write(&link).unwrap_err());
        assert!(error.contains("symbolic link"), "{error}");
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), before);
    assert_eq!(scratch.names().len(), 1);
}

#[test]
fn a_pipe_without_a_reader_is_an_error_at_once() {
    let scratch = Scratch::new("no-reader");
    let pipe = scratch.0.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(report().write(&pipe).is_err());
    assert!(Report::read(&pipe).is_err(), "and one without a writer is not read");
}

#[test]
fn what_is_no_file_is_written_to_and_not_replaced() {
    // A pipe of our own stands for /dev/null, which a failure of this test would replace for the whole host.
    let scratch = Scratch::new("pipe");
    let pipe = scratch.0.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut both_ends = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    report().write(&pipe).unwrap();
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    let mut written = vec![0; 1 << 16];
    let length = both_ends.read(&mut written).unwrap();
    assert!(length > 0 && written.starts_with(b"{\n  \"schema\": \"1.3\""));
}

#[test]
fn a_failed_write_names_the_path_and_leaves_nothing() {
    let scratch = Scratch::new("failed");
    let missing = scratch.0.join("missing/results.json");
    let error = chain(&report().write(&missing).expect_err("its directory is missing"));
    assert_eq!(error, format!("write the results to {missing:?}: No such file or directory (os error 2)"));
    let error = chain(&report().write(&scratch.0).expect_err("it is a directory"));
    assert_eq!(error, format!("write the results to {:?}: Is a directory (os error 21)", scratch.0));
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn a_missing_file_is_named() {
    let scratch = Scratch::new("missing");
    let path = scratch.0.join("none.json");
    assert_eq!(refusal(&path), format!("read the results in {path:?}: No such file or directory (os error 2)"));
}

#[test]
fn a_truncated_file_is_refused_with_line_and_column() {
    let scratch = Scratch::new("truncated");
    let whole = serde_json::to_string_pretty(&report()).unwrap();
    let path = scratch.file(&whole[..whole.len() / 2]);
    let error = refusal(&path);
    assert!(error.starts_with(&format!("parse {path:?}: EOF while parsing")), "{error}");
    assert!(error.contains(" at line ") && error.contains(" column "), "{error}");
}

#[test]
fn every_truncation_is_refused() {
    let scratch = Scratch::new("cuts");
    let whole = serde_json::to_string(&report()).unwrap();
    for end in (0..whole.len()).step_by(97) {
        let path = scratch.file(&String::from_utf8_lossy(&whole.as_bytes()[..end]));
        assert!(refusal(&path).contains(" at line 1 column "), "cut at {end}");
    }
}

#[test]
fn another_major_version_is_refused_before_its_members_are_looked_at() {
    let scratch = Scratch::new("major");
    let path = scratch.file(r#"{"schema": "2.0", "verdicts": []}"#);
    assert_eq!(refusal(&path), format!("{path:?} holds results of schema \"2.0\", and this version reads \"1.3\""));
}

#[test]
fn another_kind_of_document_is_named() {
    let scratch = Scratch::new("kind");
    let path = scratch.0.join("results.json");
    proof().write(&path).unwrap();
    assert_eq!(Proof::read(&path).unwrap(), proof());
    assert_eq!(refusal(&path), format!("{path:?} holds proof, not results"));
}

#[test]
fn what_was_edited_by_hand_is_refused_where_it_shows() {
    let scratch = Scratch::new("edited");
    let mut twice = report();
    twice.checks.push(twice.checks[0].clone());
    let path = scratch.file(&serde_json::to_string(&twice).unwrap());
    let expected = "contradicts itself: the check \"cgroups.cpu-shares/one\" occurs twice";
    assert_eq!(refusal(&path), format!("{path:?} {expected}"));
    let mut failed = report();
    failed.checks[0].verdict = Verdict::Fail;
    let path = scratch.file(&serde_json::to_string(&failed).unwrap());
    assert!(refusal(&path).ends_with("the check \"cgroups.cpu-shares/one\" got fail without a finding"));
    let mut counted = proof();
    counted.totals.proven += 1;
    let path = scratch.file(&serde_json::to_string(&counted).unwrap());
    let error = chain(&Proof::read(&path).expect_err("its totals are wrong"));
    assert!(error.ends_with("totals does not match its pairs"), "{error}");
}

#[test]
fn either_kind_is_read_as_what_it_is() {
    let scratch = Scratch::new("either");
    let path = scratch.0.join("any.json");
    report().write(&path).unwrap();
    assert_eq!(Any::read(&path).unwrap(), Any::Report(Box::new(report())));
    proof().write(&path).unwrap();
    assert_eq!(Any::read(&path).unwrap(), Any::Proof(Box::new(proof())));
    let path = scratch.file(r#"{"schema": "1.0", "kind": "poem"}"#);
    let error = chain(&Any::read(&path).expect_err("no document of ours"));
    assert_eq!(error, format!("{path:?} holds poem, not results, proof, benchmark or fuzz"));
}

#[test]
fn a_newer_minor_version_is_read_without_its_new_members() {
    let scratch = Scratch::new("minor");
    let mut value = serde_json::to_value(report()).unwrap();
    value["schema"] = "1.9".into();
    value["runtime"]["colour"] = "green".into();
    let read = Report::read(&scratch.file(&value.to_string())).unwrap();
    assert_eq!(read, Report { schema: "1.9".to_owned(), ..report() });
}

#[test]
fn other_json_is_refused_by_what_it_lacks() {
    let scratch = Scratch::new("other");
    assert!(refusal(&scratch.file(r#"{"name": "x"}"#)).contains("missing field `schema` at line 1 column 13"));
    assert!(refusal(&scratch.file(r#"{"schema": "1.0"}"#)).contains("missing field `plimsoll` at line 1 column 17"));
    assert!(refusal(&scratch.file("[]")).contains("at line 1 column"));
}
