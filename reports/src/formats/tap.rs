//! TAP, version 14: one test per check, with a YAML block for details. Several runtimes are subtests. An expected deviation is a TODO.

use crate::matrix::Matrix;
use crate::model::{Check, Report, Verdict};
use crate::text::{printable, quoted};

/// The runs as one stream.
#[must_use]
pub fn render(reports: &[Report]) -> String {
    let mut out = String::from("TAP version 14\n");
    if let [report] = reports {
        tests(&mut out, report, "");
        return out;
    }
    let matrix = Matrix::new(reports);
    line(&mut out, "", &format!("1..{}", reports.len()));
    for (number, (report, label)) in reports.iter().zip(&matrix.labels).enumerate() {
        line(&mut out, "", &format!("# Subtest: {}", description(label)));
        tests(&mut out, report, "    ");
        let ok = if report.exit_code() == 0 { "ok" } else { "not ok" };
        line(&mut out, "", &format!("{ok} {} - {}", number + 1, description(label)));
    }
    out
}

fn tests(out: &mut String, report: &Report, indent: &str) {
    line(out, indent, &format!("1..{}", report.checks.len()));
    for (number, check) in report.checks.iter().enumerate() {
        test(out, check, number + 1, indent);
    }
    if let Some(reason) = &report.cut_short {
        // Not "Bail out!": a reader would then forget the tests before it.
        line(out, indent, &format!("# cut short: {}", printable(reason)));
    }
}

fn test(out: &mut String, check: &Check, number: usize, indent: &str) {
    let good = matches!(check.verdict, Verdict::Pass | Verdict::Warn | Verdict::Skip) && !check.is_red();
    let directive = match check.verdict {
        Verdict::Skip => format!(" # SKIP {}", printable(&check.reason)),
        Verdict::Error => String::new(),
        _ if check.is_known() => format!(" # TODO {}", printable(&check.expectation())),
        Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Timeout => String::new(),
    };
    let ok = if good && !check.is_known() { "ok" } else { "not ok" };
    line(out, indent, &format!("{ok} {number} - {}{directive}", description(&check.id)));
    if !matches!(check.verdict, Verdict::Pass | Verdict::Skip) || check.is_red() {
        block(out, check, &format!("{indent}  "));
    }
}

/// The diagnostics, in YAML.
fn block(out: &mut String, check: &Check, indent: &str) {
    line(out, indent, "---");
    line(out, indent, &format!("verdict: {}", check.verdict));
    line(out, indent, &format!("message: {}", quoted(&check.headline())));
    line(out, indent, &format!("axis: {}", check.axis));
    line(out, indent, &format!("duration_ms: {}", check.duration_ms));
    if !check.clauses.is_empty() {
        line(out, indent, "clauses:");
        for clause in &check.clauses {
            line(out, indent, &format!("  - id: {}", quoted(&clause.id)));
            line(out, indent, &format!("    level: {}", quoted(&clause.level)));
            line(out, indent, &format!("    link: {}", quoted(&clause.link)));
        }
    }
    if !check.findings.is_empty() {
        line(out, indent, "findings:");
        for finding in &check.findings {
            line(out, indent, &format!("  - what: {}", quoted(&finding.what)));
            line(out, indent, &format!("    expected: {}", quoted(&finding.expected)));
            line(out, indent, &format!("    observed: {}", quoted(&finding.observed)));
        }
    }
    if let Some(evidence) = &check.evidence {
        line(out, indent, &format!("replay: {}", quoted(&evidence.replay)));
    }
    line(out, indent, "...");
}

/// The name of a test; TAP takes `#` for the start of a directive.
fn description(text: &str) -> String {
    printable(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn line(out: &mut String, indent: &str, text: &str) {
    out.extend([indent, text, "\n"]);
}
