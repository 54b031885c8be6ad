//! The files that a conformance programme of the OCI asks for: `results.yaml`, `report.html` and `junit.xml`, with the
//! status words that its distribution suite has introduced.

use crate::model::{Check, Report, Verdict};
use crate::text::{moment, quoted};
use crate::{html, junit};

/// The files of one run, by name.
#[must_use]
pub fn render(report: &Report) -> [(&'static str, String); 3] {
    let one = std::slice::from_ref(report);
    [("results.yaml", results(report)), ("report.html", html::render(one, &[], &[])), ("junit.xml", junit::render(one))]
}

/// The status word for a check. The programme has no word between good and bad: what breaks a SHOULD conforms.
#[must_use]
pub fn status(check: &Check) -> &'static str {
    match check.verdict {
        Verdict::Pass | Verdict::Warn => "Pass",
        Verdict::Fail | Verdict::Timeout => "FAIL",
        Verdict::Skip => "Skip",
        Verdict::Error => "Error",
    }
}

/// The status of all of it: the worst there is.
fn overall(report: &Report) -> &'static str {
    let words: Vec<&str> = report.checks.iter().map(status).collect();
    ["FAIL", "Error"].into_iter().find(|word| words.contains(word)).unwrap_or("Pass")
}

fn results(report: &Report) -> String {
    let mut out = String::new();
    let mut put = |name: &str, value: &str| {
        out.push_str(&format!("{name}: {}\n", quoted(value)));
    };
    put("spec", "runtime-spec");
    put("specVersion", &report.runtime.spec);
    put("status", overall(report));
    put("startTime", &moment(report.started_at));
    put("tool", &format!("plimsoll {}", report.plimsoll));
    put("runtime", &report.runtime.name());
    put("sha256", &report.runtime.sha256);
    put("kernel", &report.host.kernel);
    put("cgroups", &report.host.cgroups);
    out.push_str("counts:\n");
    for word in ["Pass", "Skip", "Disabled", "FAIL", "Error"] {
        let count = report.checks.iter().filter(|check| status(check) == word).count();
        out.push_str(&format!("  {word}: {count}\n"));
    }
    out.push_str(if report.checks.is_empty() { "tests: []\n" } else { "tests:\n" });
    for check in &report.checks {
        test(&mut out, check);
    }
    out
}

fn test(out: &mut String, check: &Check) {
    out.push_str(&format!("  - name: {}\n    status: {}\n", quoted(&check.id), status(check)));
    if matches!(check.verdict, Verdict::Pass) {
        return;
    }
    out.push_str(&format!("    message: {}\n", quoted(&check.headline())));
    if let Some(clause) = check.clauses.first() {
        out.push_str(&format!("    clause: {}\n    link: {}\n", quoted(&clause.id), quoted(&clause.link)));
    }
}
