//! SARIF 2.1.0 for the checks of the security axis, for code scanning services.

use serde_json::{Value, json};

use crate::model::{Axis, Check, Report, Verdict};
use crate::text::{moment, printable_json};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Each run as a run of SARIF, with a result for each check of the axis that did not pass.
#[must_use]
pub fn render(reports: &[Report]) -> String {
    let runs: Vec<Value> = reports.iter().map(run).collect();
    let document = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
    printable_json(&format!("{document:#}\n"))
}

fn run(report: &Report) -> Value {
    let checks: Vec<&Check> = report.checks.iter().filter(|check| check.axis == Axis::Security).collect();
    let found = checks.iter().filter(|check| !matches!(check.verdict, Verdict::Pass | Verdict::Skip));
    json!({
        "tool": { "driver": {
            "name": "plimsoll",
            "version": report.plimsoll,
            "rules": checks.iter().map(|check| rule(check)).collect::<Vec<_>>(),
        } },
        "automationDetails": { "id": format!("plimsoll/{}", report.run) },
        "invocations": [{
            "executionSuccessful": report.cut_short.is_none(),
            "startTimeUtc": moment(report.started_at),
        }],
        "results": found.map(|check| result(report, check)).collect::<Vec<_>>(),
    })
}

fn rule(check: &Check) -> Value {
    let text = match check.clauses.first() {
        Some(clause) => clause.text.as_str(),
        None => "A property whose absence has been a vulnerability.",
    };
    let mut rule = json!({
        "id": check.id,
        "shortDescription": { "text": text },
        "properties": {
            "tags": ["security"],
            "clauses": check.clauses.iter().map(|clause| &clause.id).collect::<Vec<_>>(),
        },
    });
    if let Some(link) = check.clauses.first().map(|clause| &clause.link).filter(|link| link.starts_with("https://")) {
        rule["helpUri"] = link.as_str().into();
    }
    rule
}

fn result(report: &Report, check: &Check) -> Value {
    let level = match check.verdict {
        Verdict::Fail | Verdict::Timeout => "error",
        Verdict::Warn => "warning",
        Verdict::Error | Verdict::Pass | Verdict::Skip => "note",
    };
    let mut result = json!({
        "ruleId": check.id,
        "level": level,
        "message": { "text": check.account() },
        "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(report.runtime.path.raw()) } } }],
        "partialFingerprints": { "plimsollCheck/v1": check.id },
    });
    if check.is_known() {
        result["suppressions"] = json!([{ "kind": "external", "justification": check.expectation() }]);
    }
    result
}

/// The path of the runtime as a URI.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let escape = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    format!("file://{}", path.bytes().map(escape).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("/usr/bin/a b#1"), "file:///usr/bin/a%20b%231");
    }
}
