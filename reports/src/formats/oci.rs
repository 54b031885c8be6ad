//! The files that a conformance programme of the OCI asks for: `results.yaml`, `report.html` and `junit.xml`, with the
//! status words that its distribution suite has introduced.

use std::io::{self, Write};

use crate::format::Text;
use crate::model::{Check, Report, Verdict};
use crate::text::{moment, quoted};
use crate::{html, junit};

/// The files of one run, by name.
#[must_use]
pub fn files(report: &Report) -> [(&'static str, Text<'_>); 3] {
    let one = std::slice::from_ref(report);
    [
        ("results.yaml", Text::new(|out| results(out, report))),
        ("report.html", Text::new(|out| html::write(out, one, &[], &[]))),
        ("junit.xml", Text::new(|out| junit::write(out, one))),
    ]
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

fn results(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let facts = [
        ("spec", "runtime-spec"),
        ("specVersion", &report.runtime.spec),
        ("status", overall(report)),
        ("startTime", &moment(report.started_at)),
        ("tool", &format!("plimsoll {}", report.plimsoll)),
        ("runtime", &report.runtime.name()),
        ("sha256", &report.runtime.sha256),
        ("kernel", &report.host.kernel),
        ("cgroups", &report.host.cgroups),
    ];
    for (name, value) in facts {
        writeln!(out, "{name}: {}", quoted(value))?;
    }
    writeln!(out, "counts:")?;
    for word in ["Pass", "Skip", "Disabled", "FAIL", "Error"] {
        let count = report.checks.iter().filter(|check| status(check) == word).count();
        writeln!(out, "  {word}: {count}")?;
    }
    writeln!(out, "{}", if report.checks.is_empty() { "tests: []" } else { "tests:" })?;
    report.checks.iter().try_for_each(|check| test(out, check))
}

fn test(out: &mut dyn Write, check: &Check) -> io::Result<()> {
    write!(out, "  - name: {}\n    status: {}\n", quoted(&check.id), status(check))?;
    if matches!(check.verdict, Verdict::Pass) {
        return Ok(());
    }
    writeln!(out, "    message: {}", quoted(&check.headline()))?;
    if let Some(clause) = check.clauses.first() {
        write!(out, "    clause: {}\n    link: {}\n", quoted(&clause.id), quoted(&clause.link))?;
    }
    Ok(())
}
