//! JUnit XML, as build servers read it. A suite is a section of the specification in one runtime; names stay the same
//! from run to run.
//!
//! An expected deviation is skipped, as it turns no gate red; one that is gone is a failure.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::time::Duration;

use chrono::DateTime;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite, XmlString};

use crate::matrix::Matrix;
use crate::model::{Axis, Check, Clause, Report, Verdict};
use crate::text::{printable, printable_lines};

/// How many cases are handed to the library at once. It holds all of what it writes.
const BATCH: usize = 40;

/// Puts out the runs as one document: the suites without their cases, as the library makes them, and at the end of each
/// its cases.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut dyn Write, reports: &[Report]) -> io::Result<()> {
    let matrix = Matrix::new(reports);
    let suites: Vec<Suite<'_>> =
        matrix.reports.iter().zip(&matrix.labels).flat_map(|(report, label)| Suite::all(report, label)).collect();
    let mut junit = quick_junit::Report::new("plimsoll");
    junit.add_test_suites(suites.iter().map(Suite::without_cases));
    junit.set_time(Duration::from_millis(reports.iter().map(|report| report.duration_ms).sum()));
    let frame = xml(&junit);
    let mut common = Common::default();
    let mut parts = frame.split(END);
    for suite in &suites {
        out.write_all(parts.next().unwrap_or_default().as_bytes())?;
        for checks in suite.checks.chunks(BATCH) {
            out.write_all(cases(checks, &suite.class, &mut common).as_bytes())?;
        }
        out.write_all(END.as_bytes())?;
    }
    out.write_all(parts.next().unwrap_or_default().as_bytes())
}

/// What ends a suite. In a text the bracket would be escaped.
const END: &str = "    </testsuite>\n";

fn xml(report: &quick_junit::Report) -> String {
    report.to_string().unwrap_or_else(|why| unreachable!("writing to memory failed: {why}"))
}

/// Properties that cases have again and again. The library looks at each character of a text.
#[derive(Default)]
struct Common<'a> {
    verdicts: BTreeMap<(Axis, Verdict), [Property; 2]>,
    clauses: HashMap<&'a Clause, [Property; 3]>,
}

impl<'a> Common<'a> {
    fn verdict(&mut self, check: &Check) -> [Property; 2] {
        let facts = [("axis", check.axis.as_str()), ("verdict", check.verdict.as_str())];
        let properties = self.verdicts.entry((check.axis, check.verdict));
        properties.or_insert_with(|| facts.map(|(name, value)| Property::new(name, printable(value).as_ref()))).clone()
    }

    fn clause(&mut self, clause: &'a Clause) -> [Property; 3] {
        let facts = [("clause", &clause.id), ("level", &clause.level), ("link", &clause.link)];
        let properties = self.clauses.entry(clause);
        properties.or_insert_with(|| facts.map(|(name, value)| Property::new(name, printable(value).as_ref()))).clone()
    }
}

/// A section of the specification in one runtime.
struct Suite<'a> {
    report: &'a Report,
    name: String,
    /// What the cases call their class.
    class: XmlString,
    checks: Vec<&'a Check>,
}

impl<'a> Suite<'a> {
    /// The suites of a run, in the order of their names.
    fn all(report: &'a Report, label: &str) -> impl Iterator<Item = Self> {
        let mut sections: BTreeMap<&str, Vec<&Check>> = BTreeMap::new();
        report.checks.iter().for_each(|check| sections.entry(&check.section).or_default().push(check));
        sections.into_iter().map(move |(section, checks)| Suite {
            report,
            name: printable(&format!("{label}: {section}")).into_owned(),
            class: XmlString::new(printable(&format!("plimsoll.{section}"))),
            checks,
        })
    }

    fn without_cases(&self) -> TestSuite {
        let report = self.report;
        let mut suite = TestSuite::new(&self.name);
        let facts = [
            ("runtime", report.runtime.path.raw()),
            ("version", report.runtime.version.raw()),
            ("sha256", &report.runtime.sha256),
            ("spec", &report.runtime.spec),
            ("kernel", &report.host.kernel),
            ("cgroups", &report.host.cgroups),
            ("plimsoll", &report.plimsoll),
        ];
        suite.add_properties(facts.map(|(name, value)| Property::new(name, printable(value).as_ref())));
        if let Some(began) = i64::try_from(report.started_at).ok().and_then(|at| DateTime::from_timestamp(at, 0)) {
            suite.set_timestamp(began);
        }
        suite.set_time(self.checks.iter().map(|check| duration(check)).sum());
        suite.tests = self.checks.len();
        for check in &self.checks {
            match Outcome::of(check) {
                Outcome::Success => {}
                Outcome::Skipped | Outcome::Known => suite.skipped += 1,
                Outcome::Failed | Outcome::Gone => suite.failures += 1,
                Outcome::Error => suite.errors += 1,
            }
        }
        suite
    }
}

/// The cases as they stand in a suite.
fn cases<'a>(checks: &[&'a Check], class: &XmlString, common: &mut Common<'a>) -> String {
    let mut suite = TestSuite::new("");
    suite.add_test_cases(checks.iter().map(|check| case(check, class, common)));
    let mut report = quick_junit::Report::new("");
    report.add_test_suite(suite);
    let xml = xml(&report);
    let (from, to) = (xml.find("        <testcase "), xml.rfind(END));
    xml[from.unwrap_or_default()..to.unwrap_or(xml.len())].to_owned()
}

fn duration(check: &Check) -> Duration {
    Duration::try_from_secs_f64(check.duration_ms / 1000.0).unwrap_or_default()
}

fn case<'a>(check: &'a Check, class: &XmlString, common: &mut Common<'a>) -> TestCase {
    let mut case = TestCase::new(printable(&check.id).as_ref(), status(check));
    case.set_classname(class.clone()).set_time(duration(check));
    case.add_properties(common.verdict(check));
    case.add_properties(check.clauses.iter().flat_map(|clause| common.clause(clause)));
    if check.verdict == Verdict::Warn {
        case.set_system_out(check.account());
    }
    let complaints = complaints(check);
    if !complaints.is_empty() {
        case.set_system_err(complaints);
    }
    case
}

/// What a build server shall take a check for.
enum Outcome {
    Success,
    Skipped,
    /// An expected deviation.
    Known,
    /// An expected deviation that is gone.
    Gone,
    Failed,
    Error,
}

impl Outcome {
    fn of(check: &Check) -> Self {
        match check.verdict {
            Verdict::Skip => Outcome::Skipped,
            Verdict::Error => Outcome::Error,
            _ if check.is_known() => Outcome::Known,
            Verdict::Pass | Verdict::Warn if check.is_red() => Outcome::Gone,
            Verdict::Pass | Verdict::Warn => Outcome::Success,
            Verdict::Fail | Verdict::Timeout => Outcome::Failed,
        }
    }
}

fn status(check: &Check) -> TestCaseStatus {
    let failed = |kind, name: &str| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(name).set_message(check.headline()).set_description(check.account());
        status
    };
    let mut skipped = TestCaseStatus::skipped();
    match Outcome::of(check) {
        Outcome::Success => return TestCaseStatus::success(),
        Outcome::Gone => return failed(NonSuccessKind::Failure, "expected-deviation-is-gone"),
        Outcome::Failed => return failed(NonSuccessKind::Failure, check.verdict.as_str()),
        Outcome::Error => return failed(NonSuccessKind::Error, "error"),
        Outcome::Skipped => skipped.set_message(check.reason.as_str()),
        Outcome::Known => skipped.set_type("known-deviation").set_message(check.expectation()),
    };
    skipped
}

/// What the calls of the runtime complained of, and how to see it again; nothing for a pass.
fn complaints(check: &Check) -> String {
    let Some(evidence) = &check.evidence else { return String::new() };
    let calls = evidence.calls.iter().map(|call| format!("$ {}\n{}\n{}", call.command, call.stderr.raw(), call.ended));
    let lines: Vec<String> = calls.chain([format!("replay: {}", evidence.replay)]).collect();
    printable_lines(&lines.join("\n")).into_owned()
}
