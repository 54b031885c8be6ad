//! JUnit XML, as build servers read it. A suite is a section of the specification in one runtime; names stay the same
//! from run to run.
//!
//! An expected deviation is skipped, as it turns no gate red; one that is gone is a failure.

use std::collections::HashMap;
use std::time::Duration;

use chrono::DateTime;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crate::matrix::Matrix;
use crate::model::{Check, Clause, Report, Verdict};
use crate::text::printable_lines;

/// The runs as one document.
#[must_use]
pub fn render(reports: &[Report]) -> String {
    let matrix = Matrix::new(reports);
    let mut junit = quick_junit::Report::new("plimsoll");
    let mut cited = Cited::default();
    for (report, label) in matrix.reports.iter().zip(&matrix.labels) {
        for section in report.sections().keys() {
            junit.add_test_suite(suite(report, label, section, &mut cited));
        }
    }
    let millis = reports.iter().map(|report| report.duration_ms).sum();
    junit.set_time(Duration::from_millis(millis));
    junit.to_string().unwrap_or_else(|why| unreachable!("writing to memory failed: {why}"))
}

/// The properties of each clause. The library looks at each character of a text, and clauses are cited again and again.
type Cited<'a> = HashMap<&'a Clause, [Property; 3]>;

fn suite<'a>(report: &'a Report, label: &str, section: &str, cited: &mut Cited<'a>) -> TestSuite {
    let mut suite = TestSuite::new(format!("{label}: {section}"));
    let facts = [
        ("runtime", &report.runtime.path),
        ("version", &report.runtime.version),
        ("sha256", &report.runtime.sha256),
        ("spec", &report.runtime.spec),
        ("kernel", &report.host.kernel),
        ("cgroups", &report.host.cgroups),
        ("plimsoll", &report.plimsoll),
    ];
    suite.add_properties(facts.map(|(name, value)| Property::new(name, value)));
    if let Some(began) = i64::try_from(report.started_at).ok().and_then(|at| DateTime::from_timestamp(at, 0)) {
        suite.set_timestamp(began);
    }
    let mut took = Duration::ZERO;
    for check in report.checks.iter().filter(|check| check.section == section) {
        took += duration(check);
        suite.add_test_case(case(check, cited));
    }
    suite.set_time(took);
    suite
}

fn duration(check: &Check) -> Duration {
    Duration::try_from_secs_f64(check.duration_ms / 1000.0).unwrap_or_default()
}

fn case<'a>(check: &'a Check, cited: &mut Cited<'a>) -> TestCase {
    let mut case = TestCase::new(check.id.as_str(), status(check));
    case.set_classname(format!("plimsoll.{}", check.section)).set_time(duration(check));
    case.add_property(Property::new("axis", check.axis.as_str()));
    case.add_property(Property::new("verdict", check.verdict.as_str()));
    for clause in &check.clauses {
        let facts = [("clause", &clause.id), ("level", &clause.level), ("link", &clause.link)];
        let properties = cited.entry(clause).or_insert_with(|| facts.map(|(name, value)| Property::new(name, value)));
        case.add_properties(properties.iter().cloned());
    }
    if check.verdict == Verdict::Warn {
        case.set_system_out(check.account());
    }
    let complaints = complaints(check);
    if !complaints.is_empty() {
        case.set_system_err(complaints);
    }
    case
}

fn status(check: &Check) -> TestCaseStatus {
    let failed = |kind, name: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(name).set_message(check.headline()).set_description(check.account());
        status
    };
    match check.verdict {
        Verdict::Skip => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(check.reason.as_str());
            status
        }
        Verdict::Error => failed(NonSuccessKind::Error, "error"),
        _ if check.is_known() => {
            let mut status = TestCaseStatus::skipped();
            status.set_type("known-deviation").set_message(check.expectation());
            status
        }
        Verdict::Pass | Verdict::Warn if check.is_red() => {
            failed(NonSuccessKind::Failure, "expected-deviation-is-gone")
        }
        Verdict::Pass | Verdict::Warn => TestCaseStatus::success(),
        Verdict::Fail | Verdict::Timeout => failed(NonSuccessKind::Failure, check.verdict.as_str()),
    }
}

/// What the calls of the runtime complained of, and how to see it again; nothing for a pass.
fn complaints(check: &Check) -> String {
    let Some(evidence) = &check.evidence else { return String::new() };
    let calls = evidence.calls.iter().map(|call| format!("$ {}\n{}\n{}", call.command, call.stderr, call.ended));
    let lines: Vec<String> = calls.chain([format!("replay: {}", evidence.replay)]).collect();
    printable_lines(&lines.join("\n")).into_owned()
}
